//! The chain as a stream of the store: what is asked, and how its answers are read. An entry's id is its place, so that
//! no place is taken twice; what is added is added only if nothing else was meanwhile.

use super::chain::{ChainFault, Entry, MAX_RECORD_BYTES};
use crate::challenge::{Seal, Tag};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, Value, cmd, pipe};
use std::time::Duration;

pub(super) const KEY: &str = "stepgate:revocations";
/// Entries that are asked for, or added, at once.
pub(super) const PAGE: usize = 256;
/// How long the store is asked to wait for an entry.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(1);
const FIELDS: [&str; 6] = ["base", "at", "previous", "key", "tag", "record"];

/// Why the stream could not be read, or is not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    #[error("it does not answer: {0}")]
    Store(#[from] RedisError),
    #[error("it answers what no store would: {0}")]
    Answer(&'static str),
    #[error(transparent)]
    Chain(#[from] ChainFault),
}

type Read<T> = Result<T, StreamError>;

/// Where the stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub length: u64,
    pub first: Option<Entry>,
    pub last: Option<Entry>,
    /// The last id that there ever was.
    pub last_id: String,
}

/// What came of adding entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    Done,
    /// The stream did not end where it was thought to.
    Conflict,
    /// Places that are free were taken once: the store takes nothing there.
    Blocked,
}

/// The entries that follow a place, as many as a page has.
pub(super) async fn page(calls: &mut MultiplexedConnection, after: u64) -> Read<Vec<Entry>> {
    let mut command = cmd("XRANGE");
    command.arg(KEY).arg(format!("({after}-0")).arg("+").arg("COUNT").arg(PAGE);
    entries(calls.send_packed_command(&command).await?.extract_error()?)
}

/// Waits a while for the entries that follow a place.
pub(super) async fn wait(mut calls: MultiplexedConnection, after: u64) -> Read<Vec<Entry>> {
    let mut command = cmd("XREAD");
    command.arg("COUNT").arg(PAGE).arg("BLOCK").arg(LONGEST_WAIT.as_millis().to_string());
    command.arg("STREAMS").arg(KEY).arg(format!("{after}-0"));
    match calls.send_packed_command(&command).await?.extract_error()? {
        Value::Nil => Ok(Vec::new()),
        Value::Array(streams) => match <[Value; 1]>::try_from(streams).map(|[stream]| array(stream)) {
            Ok(Ok(stream)) => match <[Value; 2]>::try_from(stream) {
                Ok([_, found]) => entries(found),
                Err(_) => Err(StreamError::Answer("XREAD")),
            },
            _ => Err(StreamError::Answer("XREAD")),
        },
        _ => Err(StreamError::Answer("XREAD")),
    }
}

pub(super) async fn standing(calls: &mut MultiplexedConnection) -> Read<Standing> {
    let mut command = cmd("XINFO");
    command.arg("STREAM").arg(KEY);
    read_standing(calls.send_packed_command(&command).await?)
}

/// Adds entries after `tip`, if the stream ends there, and drops what is not kept any more.
pub(super) async fn append(
    calls: &mut MultiplexedConnection,
    tip: Option<&Entry>,
    entries: &[Entry],
) -> Read<Appended> {
    let standing = watch(calls).await?;
    if standing.last.as_ref() != tip {
        return Ok(Appended::Conflict);
    }
    if !standing.ends_at(tip) {
        return Ok(Appended::Blocked);
    }
    let mut commands = pipe();
    commands.cmd("MULTI");
    for entry in entries {
        add(&mut commands, entry);
    }
    if let Some(base) = entries.last().map(|entry| entry.base).filter(|base| tip.is_some_and(|tip| tip.base < *base)) {
        commands.cmd("XTRIM").arg(KEY).arg("MINID").arg(format!("{base}-0"));
    }
    execute(calls, commands).await
}

/// Makes the stream anew with these entries, if it ends at `tip`.
pub(super) async fn replace(
    calls: &mut MultiplexedConnection,
    tip: Option<&Entry>,
    entries: &[Entry],
) -> Read<Appended> {
    if watch(calls).await?.last.as_ref() != tip {
        return Ok(Appended::Conflict);
    }
    let mut commands = pipe();
    commands.cmd("MULTI").cmd("DEL").arg(KEY);
    for entry in entries {
        add(&mut commands, entry);
    }
    execute(calls, commands).await
}

impl Standing {
    /// Whether nothing was ever added after this.
    pub(super) fn ends_at(&self, tip: Option<&Entry>) -> bool {
        self.last_id == tip.map_or_else(|| "0-0".to_owned(), |tip| format!("{}-0", tip.seq))
    }

    /// Whether there are as many as its ends say.
    pub(super) fn is_without_gap(&self) -> bool {
        match (&self.first, &self.last) {
            (Some(first), Some(last)) => {
                first.seq <= last.base && last.seq.checked_sub(first.seq) == self.length.checked_sub(1)
            }
            _ => self.length == 0,
        }
    }
}

/// From now on nothing is executed here if the stream changes before.
async fn watch(calls: &mut MultiplexedConnection) -> Read<Standing> {
    let mut commands = pipe();
    commands.cmd("UNWATCH").cmd("WATCH").arg(KEY).cmd("XINFO").arg("STREAM").arg(KEY);
    match <[Value; 3]>::try_from(calls.send_packed_commands(&commands, 0, 3).await?) {
        Ok([unwatched, watched, standing]) => {
            unwatched.extract_error()?;
            watched.extract_error()?;
            read_standing(standing)
        }
        Err(_) => Err(StreamError::Answer("XINFO")),
    }
}

async fn execute(calls: &mut MultiplexedConnection, mut commands: Pipeline) -> Read<Appended> {
    let queued = commands.len();
    commands.cmd("EXEC");
    let answers = calls.send_packed_commands(&commands, queued, 1).await?;
    match answers.into_iter().next().map(Value::extract_error).transpose()? {
        Some(Value::Nil) => Ok(Appended::Conflict),
        Some(Value::Array(answers)) => {
            answers.into_iter().try_for_each(|answer| answer.extract_error().map(drop))?;
            Ok(Appended::Done)
        }
        _ => Err(StreamError::Answer("EXEC")),
    }
}

fn add(commands: &mut Pipeline, entry: &Entry) {
    let previous = entry.previous.map(|tag| tag.to_string()).unwrap_or_default();
    let values = [
        entry.base.to_string(),
        entry.at_ms.to_string(),
        previous,
        entry.seal.key_id.to_string(),
        entry.seal.tag.to_string(),
        entry.record.to_string(),
    ];
    commands.cmd("XADD").arg(KEY).arg(format!("{}-0", entry.seq));
    for (field, value) in FIELDS.into_iter().zip(values) {
        commands.arg(field).arg(value);
    }
}

fn read_standing(answer: Value) -> Read<Standing> {
    let answer = match answer.extract_error() {
        Ok(answer) => answer,
        Err(error) if error.detail().is_some_and(|detail| detail.contains("no such key")) => {
            return Ok(Standing { last_id: "0-0".to_owned(), ..Standing::default() });
        }
        Err(error) => return Err(error.into()),
    };
    let mut standing = Standing::default();
    let mut members = array(answer)?.into_iter();
    while let (Some(name), Some(value)) = (members.next(), members.next()) {
        match &*text(name)? {
            "length" => standing.length = number(&value)?,
            "last-generated-id" => standing.last_id = text(value)?,
            "first-entry" => standing.first = optional(value)?,
            "last-entry" => standing.last = optional(value)?,
            _ => {}
        }
    }
    Ok(standing)
}

fn optional(value: Value) -> Read<Option<Entry>> {
    if value == Value::Nil { Ok(None) } else { entry(value).map(Some) }
}

fn entries(value: Value) -> Read<Vec<Entry>> {
    array(value)?.into_iter().map(entry).collect()
}

/// `[id, [field, value, …]]`, the fields exactly those that we write.
fn entry(value: Value) -> Read<Entry> {
    let Ok([id, fields]) = <[Value; 2]>::try_from(array(value)?) else { return Err(StreamError::Answer("an entry")) };
    let id = text(id)?;
    let fields: Option<Vec<_>> = array(fields)?.into_iter().map(|field| text(field).ok()).collect();
    let entry = fields.and_then(|fields| parse(&id, &fields));
    entry.ok_or_else(|| ChainFault::Form(id.chars().take(MAX_ID_CHARS).collect()).into())
}

/// Two numbers of 20 digits and what is between them.
const MAX_ID_CHARS: usize = 41;

fn parse(id: &str, fields: &[String]) -> Option<Entry> {
    let seq = canonical(id.strip_suffix("-0")?)?;
    let names_are_ours = fields.len() == 2 * FIELDS.len()
        && fields.chunks(2).zip(FIELDS).all(|(pair, field)| pair.first().is_some_and(|name| name == field));
    let values: Vec<_> = fields.chunks(2).filter_map(|pair| pair.get(1)).collect();
    let (true, [base, at, previous, key, tag, record]) = (names_are_ours, values.as_slice()) else { return None };
    let previous = if previous.is_empty() { None } else { Some(Tag::parse(previous)?) };
    Some(Entry {
        seq,
        base: canonical(base)?,
        at_ms: canonical(at)?,
        previous,
        seal: Seal::parse(key, tag)?,
        record: Some(record.as_str()).filter(|record| record.len() <= MAX_RECORD_BYTES)?.into(),
    })
}

/// A number as we write it, and in no other way.
fn canonical(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

pub(super) fn array(value: Value) -> Read<Vec<Value>> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(StreamError::Answer("no list")),
    }
}

pub(super) fn text(value: Value) -> Read<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| StreamError::Answer("no text")),
        Value::SimpleString(text) => Ok(text),
        Value::Okay => Ok("OK".to_owned()),
        _ => Err(StreamError::Answer("no text")),
    }
}

fn number(value: &Value) -> Read<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).map_err(|_| StreamError::Answer("no number")),
        _ => Err(StreamError::Answer("no number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn fields() -> Vec<(&'static str, String)> {
        let values = ["3", "1800000000000", TAG, "k1", TAG, "{}"].map(str::to_owned);
        FIELDS.into_iter().zip(values).collect()
    }

    fn answer(id: &str, fields: &[(&str, String)]) -> Value {
        let fields = fields.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
        Value::Array(vec![Value::Array(vec![bulk(id), Value::Array(fields)])])
    }

    #[test]
    fn an_entry_is_read_as_it_is_written() {
        let read = entries(answer("7-0", &fields())).unwrap();
        let mut commands = pipe();
        add(&mut commands, &read[0]);
        let packed = String::from_utf8(commands.get_packed_pipeline()).unwrap();
        let words: Vec<_> = packed.split("\r\n").filter(|word| !word.starts_with(['$', '*'])).collect();
        let written: Vec<_> = fields().into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        assert_eq!(words[..3], ["XADD", KEY, "7-0"]);
        assert_eq!(words[3..15], written);
    }

    #[rstest]
    #[case::second_of_a_place("7-1")]
    #[case::not_canonical("07-0")]
    #[case::signed("+7-0")]
    #[case::no_place("7")]
    #[case::not_a_number("x-0")]
    #[case::too_large("18446744073709551616-0")]
    fn no_other_id_is_a_place(#[case] id: &str) {
        assert!(matches!(entries(answer(id, &fields())), Err(StreamError::Chain(ChainFault::Form(_)))));
    }

    #[rstest]
    #[case::number(0, "03")]
    #[case::negative(1, "-1")]
    #[case::previous(2, "AAAA")]
    #[case::key(3, "k 1")]
    #[case::key_too_long(3, "kkkkkkkkkkkkkkkkk")]
    #[case::tag(4, "")]
    fn no_other_value_is_one_of_ours(#[case] field: usize, #[case] value: &str) {
        let mut fields = fields();
        fields[field].1 = value.into();
        assert!(entries(answer("7-0", &fields)).is_err());
    }

    #[test]
    fn fields_are_ours_in_our_order_and_no_more() {
        let mut swapped = fields();
        swapped.swap(0, 1);
        let mut more = fields();
        more.push(("more", "1".into()));
        let mut long = fields();
        long[5].1 = "x".repeat(MAX_RECORD_BYTES + 1);
        for fields in [swapped, more, long, fields()[..5].to_vec(), Vec::new()] {
            assert!(entries(answer("7-0", &fields)).is_err());
        }
    }

    #[rstest]
    #[case(Value::Int(1))]
    #[case(Value::Array(vec![Value::Int(1)]))]
    #[case(Value::Array(vec![Value::Array(vec![bulk("7-0")])]))]
    #[case(Value::Array(vec![Value::Array(vec![bulk("7-0"), Value::Int(1)])]))]
    #[case(Value::Array(vec![Value::Array(vec![bulk("7-0"), Value::Array(vec![bulk("base")])])]))]
    #[case(Value::Array(vec![Value::Array(vec![Value::BulkString(vec![0xff]), Value::Array(vec![])])]))]
    fn what_no_stream_answers_is_an_error(#[case] answer: Value) {
        assert!(entries(answer).is_err());
    }
}
