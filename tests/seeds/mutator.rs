//! Changes seeds a little, the same in every run.

/// A source of mutations of these seeds.
pub(crate) struct Mutator<'s> {
    seeds: &'s [Vec<u8>],
    state: u64,
}

/// What means something to the parsers.
const WORDS: [&str; 40] = [
    "\"", "\\", "\\\"", "'", ",", ";", ":", "=", "&", "?", "#", "+", "%", "%2F", "%5c", "%00", "%2e", "/", "//",
    "/../", "/./", ".", "..", "[", "]", "{", "}", "null", "true", "-1", "1e9", "0", "\\u0000", "\\ud800", " ", "\n",
    "\t", "\0", "\u{e9}", "=\"",
];

impl<'s> Mutator<'s> {
    pub(crate) fn new(seeds: &'s [Vec<u8>]) -> Self {
        Self { seeds, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// A seed with up to four changes.
    pub(crate) fn mutation(&mut self) -> Vec<u8> {
        let mut bytes = self.seed().to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let (from, to) = self.range(bytes.len());
        match self.below(6) {
            0 => drop(bytes.drain(from..to)),
            1 => drop(bytes.splice(from..from, WORDS[self.below(WORDS.len())].bytes())),
            2 => drop(bytes.splice(from..to, WORDS[self.below(WORDS.len())].bytes())),
            3 => bytes.extend_from_within(from..to),
            4 => {
                let other = self.seed();
                let (start, end) = self.range(other.len());
                bytes.splice(from..to, other[start..end].iter().copied());
            }
            _ if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
            _ => bytes.push(0),
        }
    }

    /// A stretch, most often a short one.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let longest = if self.below(4) == 0 { length } else { 8 };
        (from, length.min(from + self.below(longest + 1)))
    }

    fn seed(&mut self) -> &'s [u8] {
        &self.seeds[self.below(self.seeds.len())]
    }

    /// xorshift64*.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let drawn = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % bound
    }
}
