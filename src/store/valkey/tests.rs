//! With a real Valkey. It is started by the tests: `VALKEY` names the binary, or it lies in `.tools/`.

mod access;
mod faults;
mod forgeries;
mod losses;
mod proxy;
mod revocations;
mod values;
mod world;
