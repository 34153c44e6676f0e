//! A server in a process of its own, which is told on its standard input what to do.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A program of this package, which is built where this one is.
///
/// # Errors
///
/// When it is not there.
pub fn beside_this(name: &str) -> io::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    match program.exists() {
        true => Ok(program),
        false => Err(io::Error::other(format!(
            "{} is not there: `cargo build --release --package bench` makes it",
            program.display()
        ))),
    }
}

/// A server that prints its address first, and then a line when it is asked for one. It is killed
/// when this is dropped.
#[derive(Debug)]
pub struct ChildServer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl ChildServer {
    /// Starts it, and waits until it says where it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or says something else.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("no pipes"))?;
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let line = server.line()?;
        // Alone, or as the end of a sentence for people.
        let address = line.rsplit("http://").next().unwrap_or_default();
        server.address = address.parse().map_err(io::Error::other)?;
        Ok(server)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes it a line.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes())
    }

    /// Writes it a line, and waits for the line that answers it.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.tell(line)?;
        self.line()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.output.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim().to_owned()),
        }
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
