use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use generator::{Generator, Gn};
use tenure_backends::file::system::ThreadBody;

use super::Disk;
use crate::executor::Process;

/// In words: 256 KiB, of which only what is used is ever had.
const STACK_WORDS: usize = 0x8000;
/// Stacks that are kept for later, of each thread of ours.
const IDLE_MAX: usize = 64;
/// A thread that has not ended after so many waits that were refused never will.
const REFUSALS_MAX: u32 = 10_000;

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;
type Carrier = Generator<'static, Order, Turn>;

/// What a carrier is to do next.
enum Order {
    Quit,
    Resume,
    Run(ThreadBody),
}

/// Where a carrier is.
enum Turn {
    Idle,
    Waits(Wait),
}

/// In what the code that runs now runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// A simulated thread of a process that is gone: whatever it tries fails.
    Ending,
    /// No simulated thread: nothing takes any time.
    Nothing,
    /// A simulated thread.
    Thread,
}

/// Stacks without a thread.
struct Idle(Vec<Carrier>);

impl Drop for Idle {
    fn drop(&mut self) {
        for carrier in &mut self.0 {
            carrier.raw_send(Some(Order::Quit));
        }
    }
}

thread_local! {
    static IDLE: RefCell<Idle> = const { RefCell::new(Idle(Vec::new())) };
    static INSIDE: Cell<Inside> = const { Cell::new(Inside::Nothing) };
}

#[expect(
    deprecated,
    reason = "what replaces it has to be handed down, and the code between knows nothing of simulations"
)]
fn carry() -> Turn {
    let mut order = generator::get_yield::<Order>();
    while let Some(Order::Run(body)) = order {
        body();
        order = generator::yield_(Turn::Idle);
    }
    Turn::Idle
}

fn carrier() -> Carrier {
    let idle = IDLE.with_borrow_mut(|idle| idle.0.pop());
    idle.unwrap_or_else(|| Gn::new_opt(STACK_WORDS, carry))
}

/// Has the simulated thread that runs now wait for `future`; who is no thread does not wait.
///
/// # Errors
/// When its process is gone.
#[expect(deprecated, reason = "as above")]
pub(super) fn wait(future: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    if INSIDE.get() == Inside::Thread {
        generator::yield_::<Order, Turn>(Turn::Waits(Box::pin(future)));
    }
    is_not_ending()
}

/// # Errors
/// When the process of the simulated thread that runs now is gone.
pub(super) fn is_not_ending() -> io::Result<()> {
    match INSIDE.get() {
        Inside::Ending => Err(io::Error::other("the process is gone")),
        Inside::Nothing | Inside::Thread => Ok(()),
    }
}

/// Whether a simulated thread runs now.
pub(super) fn is_inside() -> bool {
    INSIDE.get() != Inside::Nothing
}

/// A thread of a simulated process, as a task: ordinary code on a stack of its own, which waits where a real thread would.
///
/// When its process dies it is dropped, and what is left of its code runs to its end with every system call failing.
pub(super) struct Thread {
    body: Option<ThreadBody>,
    carrier: Option<Carrier>,
    disk: Disk,
    process: Process,
    wait: Option<Wait>,
}

impl Thread {
    pub(super) fn new(disk: &Disk, process: &Process, body: ThreadBody) -> Self {
        Self {
            body: Some(body),
            carrier: None,
            disk: disk.clone(),
            process: process.clone(),
            wait: None,
        }
    }

    /// Lets the code run until it waits again; whether it has ended.
    fn go_on(&mut self, inside: Inside) -> bool {
        let order = self.body.take().map_or(Order::Resume, Order::Run);
        let mut carrier = self.carrier.take().unwrap_or_else(carrier);
        let outside = INSIDE.replace(inside);
        let turn = carrier.raw_send(Some(order));
        INSIDE.set(outside);
        match turn {
            Some(Turn::Waits(wait)) => {
                self.wait = Some(wait);
                self.carrier = Some(carrier);
                false
            }
            Some(Turn::Idle) | None => {
                keep(carrier);
                true
            }
        }
    }
}

fn keep(carrier: Carrier) {
    IDLE.with_borrow_mut(|idle| {
        if idle.0.len() < IDLE_MAX {
            idle.0.push(carrier);
        }
    });
}

impl Future for Thread {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(wait) = &mut self.wait {
                if wait.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.wait = None;
            }
            if self.go_on(Inside::Thread) {
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if !self.process.is_alive() {
            self.disk.reap(&self.process);
        }
        if self.carrier.is_some() {
            self.wait = None;
            let ended = (0..REFUSALS_MAX).any(|_| self.go_on(Inside::Ending));
            debug_assert!(ended, "a thread goes on though every call of it fails");
        }
    }
}
