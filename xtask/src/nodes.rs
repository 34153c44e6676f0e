//! `cargo xtask nodes`: `examples/nodes` three times, with a broker between them and nginx in front, all on 127.0.0.1,
//! and whoever sits at the terminal kills what he likes.
//!
//! What is started here is killed by the kernel when this program ends, whatever it ends of (`setpriv --pdeathsig`, of
//! Debian's essential package util-linux): Ctrl-C needs no handler.

use std::env;
use std::fs;
use std::io::{BufRead, stdin};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::apt::{NATS_SERVER, NGINX, REDIS_SERVER};
use crate::error::Error;
use crate::workspace::Workspace;

/// How long something may take to listen.
const LIMIT: Duration = Duration::from_secs(20);
/// The addresses in `nginx.conf`.
const NODES: [&str; 3] = ["127.0.0.1:3001", "127.0.0.1:3002", "127.0.0.1:3003"];
const FRONT: &str = "127.0.0.1:8080";

const HELP: &str = "\
kill N    node N dies (SIGKILL), N is 1, 2 or 3    kill broker
term N    it ends as it should (SIGTERM)
start N   it is there again                        start broker
stop N    it stands still (SIGSTOP)                stop broker
cont N    it goes on                               cont broker
quit      all end; so they do by Ctrl-C";

/// Which broker is between the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broker {
    /// nats-server, with JetStream.
    Nats,
    /// redis-server.
    Redis,
}

impl Broker {
    /// By its name on the command line.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "nats" => Some(Self::Nats),
            "redis" => Some(Self::Redis),
            _ => None,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Nats => NATS_SERVER,
            Self::Redis => REDIS_SERVER,
        }
    }

    fn url(self, port: u16) -> String {
        match self {
            Self::Nats => format!("nats://127.0.0.1:{port}"),
            Self::Redis => format!("redis://127.0.0.1:{port}"),
        }
    }
}

/// Runs it all until the input ends, or says `quit`.
pub(crate) fn run(workspace: &Workspace, broker: Broker) -> Result<(), Error> {
    for program in [broker.program(), NGINX] {
        if !Path::new(program).exists() {
            let message = format!("there is no {program}: `cargo xtask setup` installs it");
            return Err(Error::new(message));
        }
    }
    let mut stage = Stage::new(workspace, broker, program(workspace)?)?;
    stage.begin()?;
    println!("{HELP}");
    println!("open {} in a few windows", stage.address);
    for line in stdin().lock().lines() {
        let Ok(line) = line else { break };
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [] => continue,
            ["quit"] => break,
            [what, whom] => match stage.order(what, whom) {
                Ok(said) => println!("{said}"),
                Err(error) => println!("{error}"),
            },
            _ => println!("{HELP}"),
        }
    }
    Ok(())
}

/// The node's program: what `NODES` names, or else what cargo builds.
fn program(workspace: &Workspace) -> Result<PathBuf, Error> {
    if let Some(path) = env::var_os("NODES") {
        return Ok(path.into());
    }
    let mut command = workspace.cargo(["build", "--package", "examples", "--bin", "nodes"]);
    let status = command.status();
    match status.map_err(|error| Error::start("cargo", &error))? {
        status if status.success() => Ok(workspace.target.join("debug/nodes")),
        status => Err(Error::exit("cargo build", status)),
    }
}

/// Everything that runs.
struct Stage {
    broker: Actor,
    nodes: [Actor; 3],
    nginx: Actor,
    address: String,
}

impl Stage {
    fn new(workspace: &Workspace, broker: Broker, program: PathBuf) -> Result<Self, Error> {
        let folder = workspace.target.join("xtask/nodes");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| Error::file(&folder, &error))?;
        }
        fs::create_dir_all(&folder).map_err(|error| Error::file(&folder, &error))?;
        let [at, front, one, two, three] = free_ports()?;
        let ports = [one, two, three];

        let mut conf = workspace.root.join("examples/nodes/nginx.conf");
        let mut text = fs::read_to_string(&conf).map_err(|error| Error::file(&conf, &error))?;
        for (address, port) in NODES
            .into_iter()
            .chain([FRONT])
            .zip([one, two, three, front])
        {
            text = text.replace(address, &format!("127.0.0.1:{port}"));
        }
        conf = folder.join("nginx.conf");
        fs::write(&conf, text).map_err(|error| Error::file(&conf, &error))?;

        let data = folder.display().to_string();
        let at_port = at.to_string();
        let arguments: &[&str] = match broker {
            Broker::Nats => &["-a", "127.0.0.1", "-p", &at_port, "-js", "-sd", &data],
            Broker::Redis => &[
                "--bind",
                "127.0.0.1",
                "--port",
                &at_port,
                "--dir",
                &data,
                "--save",
                "",
                "--appendonly",
                "yes",
            ],
        };
        let log = |name: &str| folder.join(format!("{name}.log"));
        let node = |number: usize| Actor {
            name: format!("node {number}"),
            program: program.clone(),
            arguments: vec!["--port".into(), ports[number - 1].to_string()],
            environment: vec![
                ("BROKER", broker.url(at)),
                ("NODE", number.to_string()),
                ("NO_COLOR", "1".into()),
            ],
            port: ports[number - 1],
            signal: "KILL",
            log: log(&format!("node-{number}")),
            child: None,
        };
        Ok(Self {
            broker: Actor {
                name: "broker".into(),
                program: broker.program().into(),
                arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
                environment: Vec::new(),
                port: at,
                signal: "KILL",
                log: log("broker"),
                child: None,
            },
            nodes: [node(1), node(2), node(3)],
            nginx: Actor {
                name: "nginx".into(),
                program: NGINX.into(),
                arguments: [
                    "-p",
                    &data,
                    "-c",
                    "nginx.conf",
                    "-e",
                    "stderr",
                    "-g",
                    "daemon off;",
                ]
                .map(str::to_owned)
                .into(),
                environment: Vec::new(),
                port: front,
                // Killed, it would leave its workers behind.
                signal: "TERM",
                log: log("nginx"),
                child: None,
            },
            address: format!("http://127.0.0.1:{front}"),
        })
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.broker.start()?;
        for node in &mut self.nodes {
            node.start()?;
        }
        self.nginx.start()
    }

    /// Does what a line says.
    fn order(&mut self, what: &str, whom: &str) -> Result<String, Error> {
        let number = whom.parse::<usize>().ok();
        let actor = match number.and_then(|number| self.nodes.get_mut(number.wrapping_sub(1))) {
            Some(node) => node,
            None if whom == "broker" => &mut self.broker,
            None => return Err(Error::new(HELP)),
        };
        let (signal, done) = match what {
            "kill" => ("KILL", "is killed"),
            "term" => ("TERM", "was asked to end"),
            "stop" => ("STOP", "stands still"),
            "cont" => ("CONT", "goes on"),
            "start" => {
                actor.start()?;
                return Ok(format!("{} is there", actor.name));
            }
            _ => return Err(Error::new(HELP)),
        };
        actor.signal(signal)?;
        Ok(format!("{} {done}", actor.name))
    }
}

/// A program, running or not.
struct Actor {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    port: u16,
    /// Which signal it gets when this program ends.
    signal: &'static str,
    log: PathBuf,
    child: Option<Child>,
}

impl Actor {
    /// Starts it, unless it runs, and waits until it listens.
    fn start(&mut self) -> Result<(), Error> {
        if self.is_running() {
            return Err(Error::new(format!("{} is there already", self.name)));
        }
        let file = fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log);
        let log = file.map_err(|error| Error::file(&self.log, &error))?;
        let errors = log
            .try_clone()
            .map_err(|error| Error::file(&self.log, &error))?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", self.signal])
            .arg(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        let child = command
            .spawn()
            .map_err(|error| Error::start("setpriv", &error))?;
        self.child = Some(child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if !self.is_running() || began.elapsed() > LIMIT {
                let log = self.log.display();
                return Err(Error::new(format!(
                    "{} does not start, see {log}",
                    self.name
                )));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_running(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn signal(&mut self, signal: &str) -> Result<(), Error> {
        let is_running = self.is_running();
        let Some(child) = self.child.as_mut().filter(|_| is_running) else {
            return Err(Error::new(format!("{} is not there", self.name)));
        };
        if signal == "KILL" {
            let killed = child.kill().and_then(|()| child.wait());
            return killed
                .map(drop)
                .map_err(|error| Error::start("kill", &error));
        }
        // The shell's own `kill`, since the standard library has no other signal.
        let kill = format!("kill -{signal} {}", child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        match status.map_err(|error| Error::start("sh", &error))? {
            status if status.success() => Ok(()),
            status => Err(Error::exit(&kill, status)),
        }
    }
}

/// As it is when this program ends, but all have ended when this returns.
impl Drop for Actor {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let ended = match self.signal {
            "KILL" => child.kill(),
            signal => {
                let kill = format!("kill -{signal} {}", child.id());
                Command::new("sh").args(["-c", &kill]).status().map(drop)
            }
        };
        if ended.is_ok() {
            let _ = child.wait();
        }
    }
}

/// Ports that are free now.
fn free_ports<const N: usize>() -> Result<[u16; N], Error> {
    let wrong = |error| Error::file(Path::new("127.0.0.1"), &error);
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(wrong)?;
        *port = listener.local_addr().map_err(wrong)?.port();
        listeners.push(listener);
    }
    Ok(ports)
}
