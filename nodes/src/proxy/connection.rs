//! One connection through the proxy.

use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Fault, Way,
    faults::{Faults, count},
    frames::{Frame, Protocol, Splitter, What},
    shared::Shared,
};

/// The most that is read at once.
const PIECE: usize = 64 << 10;
/// How long connecting to the broker may take, where connections are queued by one that stands still.
const CONNECTING: Duration = Duration::from_secs(20);
/// How many messages of a connection are held back at the same time.
const HELD: usize = 8;

/// What is done with the next answer of Redis.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Pass,
    /// The client has not asked: it was asked twice for it.
    Keep,
    /// The connection is reset instead.
    Lose,
}

/// A message that is held back.
#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// So many have to pass it.
    left: u32,
    until: Instant,
    /// The message itself, and not a copy that comes later.
    is_all: bool,
}

/// Forwards everything until either side has no more to say, or something breaks. With an error, both sides are to be
/// reset.
pub(super) async fn forward(
    shared: &Shared,
    number: u64,
    client: &mut TcpStream,
    broker: &mut Option<TcpStream>,
) -> io::Result<()> {
    shared.open(Way::ToServer).await;
    let socket = TcpSocket::new_v4()?;
    // Cut while it is made, it is to be reset too.
    SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
    let connected = timeout(CONNECTING, socket.connect(shared.upstream)).await;
    let Ok(Ok(stream)) = connected else {
        count(&shared.counters.unreachable);
        return Err(io::ErrorKind::ConnectionReset.into());
    };
    SockRef::from(&stream).set_linger(None)?;
    stream.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let broker = broker.insert(stream);
    let (from_client, to_client) = client.split();
    let (from_broker, to_broker) = broker.split();
    let answers = Mutex::new(VecDeque::new());
    let direction = |way| Direction {
        shared,
        way,
        splitter: Splitter::new(shared.protocol, way),
        random: shared.random(number, way),
        answers: &answers,
        held: Vec::new(),
        in_multi: false,
        out: Vec::new(),
    };
    let (mut up, mut down) = (direction(Way::ToServer), direction(Way::ToClient));
    tokio::try_join!(
        up.run(from_client, to_broker),
        down.run(from_broker, to_client)
    )?;
    Ok(())
}

/// One of its two directions.
struct Direction<'a> {
    shared: &'a Shared,
    way: Way,
    splitter: Splitter,
    random: fastrand::Rng,
    answers: &'a Mutex<VecDeque<Answer>>,
    held: Vec<Held>,
    in_multi: bool,
    /// What is to be written.
    out: Vec<u8>,
}

impl Direction<'_> {
    async fn run(&mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let due = self.held.iter().map(|held| held.until).min();
            let read = tokio::select! {
                read = from.read(&mut piece) => Some(read?),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => None,
            };
            let ended = read == Some(0);
            if let Some(length) = read {
                let frames = self.splitter.push(&piece[..length]);
                let frames = frames.map_err(|why| self.shared.unreadable(self.way, &why))?;
                for frame in frames {
                    self.take(frame, &mut to).await?;
                }
            }
            let now = Instant::now();
            self.release(|held| ended || held.until <= now);
            if ended {
                // As the other end of a connection that breaks in the middle of something would get it.
                let rest = self.splitter.rest();
                self.out.extend_from_slice(&rest);
            }
            self.flush(&mut to).await?;
            if ended {
                return to.shutdown().await;
            }
        }
    }

    async fn flush(&mut self, to: &mut WriteHalf<'_>) -> io::Result<()> {
        self.shared.open(self.way).await;
        to.write_all(&self.out).await?;
        self.out.clear();
        Ok(())
    }

    async fn take(&mut self, frame: Frame, to: &mut WriteHalf<'_>) -> io::Result<()> {
        match frame.what {
            What::Message(subject) => self.deliver(&subject, frame.bytes, to).await?,
            What::Publish(subject) => self.publish(&subject, &frame.bytes),
            What::Multi | What::Exec | What::Command => {
                self.in_multi = match frame.what {
                    What::Multi => true,
                    What::Exec => false,
                    _ => self.in_multi,
                };
                self.expect(&[Answer::Pass]);
                self.out.extend_from_slice(&frame.bytes);
            }
            What::Reply => self.reply(&frame.bytes)?,
            What::Other => self.out.extend_from_slice(&frame.bytes),
        }
        Ok(())
    }

    /// A message for a subscriber.
    async fn deliver(
        &mut self,
        subject: &str,
        bytes: Vec<u8>,
        to: &mut WriteHalf<'_>,
    ) -> io::Result<()> {
        let counters = &self.shared.counters;
        count(&counters.messages);
        let faults = self.shared.faults();
        if !faults.concern(subject) {
            self.out.extend_from_slice(&bytes);
            return Ok(());
        }
        let (fault, after) = match self.shared.next_fault(|fault| !fault.is_of_publishing()) {
            Some(fault) => (Some(fault), 0),
            None => self.roll(&faults),
        };
        if let Some(Fault::Delay(time)) = fault {
            count(&counters.delayed);
            self.flush(to).await?;
            sleep(time).await;
        }
        let room = self.held.len() < HELD;
        match fault {
            Some(Fault::Drop) => {
                count(&counters.dropped);
                return Ok(());
            }
            Some(Fault::Hold(left)) if room => {
                count(&counters.held);
                self.hold(bytes, left, &faults, true);
                return Ok(());
            }
            Some(Fault::Duplicate) => {
                count(&counters.duplicated);
                self.out.extend_from_slice(&bytes);
                match after {
                    0 => self.out.extend_from_slice(&bytes),
                    // Its own passing is one of those that it waits for.
                    _ if room => self.hold(bytes, after + 1, &faults, false),
                    _ => self.out.extend_from_slice(&bytes),
                }
            }
            _ => self.out.extend_from_slice(&bytes),
        }
        for held in &mut self.held {
            held.left = held.left.saturating_sub(1);
            if held.left == 0 && held.is_all {
                count(&self.shared.counters.reordered);
            }
        }
        self.release(|held| held.left == 0);
        Ok(())
    }

    /// What chance has for a message. With a duplicate, after how many others it comes.
    fn roll(&mut self, faults: &Faults) -> (Option<Fault>, u32) {
        let random = &mut self.random;
        let most = faults.hold_for.max(1);
        // As many numbers for every message, so that one fault's likelihood does not change the chance of others.
        let [drop, hold, delay, duplicate, share, later] = [(); 6].map(|()| random.f64());
        let passing = 1 + (share * f64::from(most)) as u32;
        let (shortest, longest) = (*faults.delay_for.start(), *faults.delay_for.end());
        let time = shortest + longest.saturating_sub(shortest).mul_f64(share);
        let fault = [
            (drop < faults.drop, Fault::Drop),
            (hold < faults.hold, Fault::Hold(passing.min(most))),
            (delay < faults.delay, Fault::Delay(time)),
            (duplicate < faults.duplicate, Fault::Duplicate),
        ];
        let fault = fault
            .into_iter()
            .find_map(|(is, fault)| is.then_some(fault));
        (fault, if later < 0.5 { 0 } else { passing.min(most) })
    }

    fn hold(&mut self, bytes: Vec<u8>, left: u32, faults: &Faults, is_all: bool) {
        self.held.push(Held {
            bytes,
            left: left.max(1),
            until: Instant::now() + faults.hold_at_most,
            is_all,
        });
    }

    /// Lets those go that are due.
    fn release(&mut self, is_due: impl Fn(&Held) -> bool) {
        let out = &mut self.out;
        self.held.retain(|held| {
            let due = is_due(held);
            if due {
                out.extend_from_slice(&held.bytes);
            }
            !due
        });
    }

    /// What a client publishes.
    fn publish(&mut self, subject: &str, bytes: &[u8]) {
        let counters = &self.shared.counters;
        count(&counters.publishes);
        let faults = self.shared.faults();
        let [twice, lose] = [(); 2].map(|()| self.random.f64());
        let fault = match faults.concern(subject) && !self.in_multi {
            false => None,
            true => match self.shared.next_fault(Fault::is_of_publishing) {
                None if twice < faults.publish_twice => Some(Fault::PublishTwice),
                None if lose < faults.lose_reply => Some(Fault::LoseReply),
                next => next,
            },
        };
        self.out.extend_from_slice(bytes);
        match fault {
            Some(Fault::PublishTwice) => {
                count(&counters.published_twice);
                self.out.extend_from_slice(bytes);
                self.expect(&[Answer::Pass, Answer::Keep]);
            }
            Some(Fault::LoseReply) => self.expect(&[Answer::Lose]),
            _ => self.expect(&[Answer::Pass]),
        }
    }

    fn expect(&self, more: &[Answer]) {
        // NATS answers with messages, if at all.
        if self.shared.protocol == Protocol::Resp {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.extend(more);
        }
    }

    /// What Redis answers.
    fn reply(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.pop_front() {
            None | Some(Answer::Pass) => self.out.extend_from_slice(bytes),
            Some(Answer::Keep) => {}
            Some(Answer::Lose) => {
                count(&self.shared.counters.replies_lost);
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        Ok(())
    }
}
