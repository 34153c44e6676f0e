//! A test run that is killed leaves no server and no program behind.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nodes::{Program, Server};

const LIMIT: Duration = Duration::from_secs(20);
/// Set in the test run that is to be killed.
const HOLDS: &str = "SIDEREAL_NODES_HOLDS";

#[tokio::test]
async fn a_killed_test_run() {
    let Some(_) = Server::redis().start().await else {
        return;
    };
    let mut run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "holds", "--nocapture"])
        .env(HOLDS, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let line = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("holds: ").map(|(_, rest)| rest.to_owned()));
    let line = line.unwrap_or_default();
    let held: Vec<&str> = line.split(' ').collect();
    let &[address, pid, folder] = &held[..] else {
        let _ = run.kill();
        panic!("{line}");
    };
    let address: SocketAddr = address.parse().unwrap();
    let is_there = || {
        // Nobody may be there who waits for it, so it may be there as something that has ended.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ") && !stat.contains(") X ")
    };
    assert!(TcpStream::connect(address).is_ok() && is_there());
    run.kill().unwrap();
    run.wait().unwrap();
    let start = Instant::now();
    while is_there() || TcpStream::connect(address).is_ok() {
        assert!(start.elapsed() < LIMIT, "{line}: it is still there");
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_dir_all(folder).unwrap();
}

/// In the run that is killed.
#[tokio::test]
async fn holds() {
    if env::var_os(HOLDS).is_none() {
        return;
    }
    let server = Server::redis().start().await.unwrap();
    let mut command = Command::new("sh");
    // Not for ever, should this test fail.
    command.args(["-c", "echo http://127.0.0.1:1; exec sleep 60"]);
    let program = Program::start(&mut command).await;
    let (address, folder) = (server.address(), server.folder().display());
    println!("holds: {address} {} {folder}", program.pid());
    thread::sleep(3 * LIMIT);
}
