//! Which thread or process has which core, by `taskset` of util-linux.

use crate::Result;
use std::path::Path;
use std::process::{Command, Stdio};

/// A core, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core(pub(crate) usize);

impl Core {
    /// The command with this core alone, which also tells the program that there are no others.
    pub(crate) fn confined(self, command: &Command) -> Command {
        let mut confined = Command::new("taskset");
        confined.arg("--cpu-list").arg(self.0.to_string()).arg(command.get_program()).args(command.get_args());
        confined
    }

    /// Keeps the calling thread on this core, and the threads that it starts.
    pub(crate) fn take(self) -> Result<()> {
        let thread = Path::new("/proc/thread-self").read_link()?;
        let thread = thread.file_name().ok_or("the system doesn't name the thread")?;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "--pid", &self.0.to_string()]).arg(thread);
        let taken = command.stdout(Stdio::null()).status();
        let taken = taken.map_err(|_| "taskset is missing; install it with: apt-get install util-linux")?;
        if taken.success() { Ok(()) } else { Err(format!("core {} can't be had", self.0).into()) }
    }
}
