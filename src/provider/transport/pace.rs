//! No more requests than the system takes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::retry_after::{LONGEST_WAIT, retry_after};
use super::{Request, Response, Transport, TransportError};
use crate::apply::LONGEST_TOLD_WAIT;
use crate::base::{CallBudget, CallMemory, CallWindow, Clock, Gcra, WholeAgain};

/// Waits of at least this are reported as warnings.
const TOLD_FROM: Duration = Duration::from_secs(10);

/// Sends requests, including sign-ins and reads, no faster than a budget allows, and remembers across processes how much of it is
/// used.
///
/// There is one for each target, and all its requests share it.
pub struct Paced {
    inner: Arc<dyn Transport>,
    budget: CallBudget,
    clock: Arc<dyn Clock>,
    memory: Arc<dyn CallMemory>,
    /// When its windows are whole again, as last known to this process.
    whole_again: Mutex<WholeAgain>,
}

impl Paced {
    /// Paces what goes through `inner`. Nothing is read from `memory` before the first request.
    pub fn new(inner: Arc<dyn Transport>, budget: CallBudget, clock: Arc<dyn Clock>, memory: Arc<dyn CallMemory>) -> Self {
        Self { inner, budget, clock, memory, whole_again: Mutex::default() }
    }

    /// Changes the rates, that of the shortest window first, and keeps what they have become. What cannot be kept costs no more than a
    /// refusal by the system.
    async fn change<T: Send>(&self, change: impl Fn(&mut [Gcra], Timestamp) -> T + Send + Sync) -> T {
        let mut own = self.whole_again.lock().await;
        let now = self.clock.now();
        let changed = |kept: &WholeAgain| {
            let mut rates: Vec<Gcra> = self.budget.windows().map(|window| rate(window, now, kept, &own)).collect();
            let answer = change(&mut rates, now);
            // What was kept for windows of other lengths is of a manifest that was changed.
            let next = rates.iter().map(|rate| (seconds(rate.window()), rate.whole_at())).collect();
            (answer, next)
        };
        let mut done = None;
        let mut update = |kept: WholeAgain| {
            let (answer, next) = changed(&kept);
            let differs = (kept != next).then(|| next.clone());
            done = Some((answer, next));
            differs
        };
        if let Err(error) = self.memory.update(&mut update).await {
            tracing::warn!(%error, "the number of calls made cannot be shared with other processes");
        }
        let (answer, next) = done.unwrap_or_else(|| changed(&WholeAgain::new()));
        *own = next;
        answer
    }

    /// Takes one call, or tells how long to wait before asking again.
    async fn take(&self) -> Result<(), Duration> {
        self.change(|rates, now| {
            let wait = rates.iter().map(|rate| rate.next().duration_since(now)).max().unwrap_or_default();
            if wait.is_positive() {
                return Err(wait.unsigned_abs());
            }
            rates.iter_mut().for_each(|rate| rate.take(now));
            Ok(())
        })
        .await
    }
}

fn seconds(window: CallWindow) -> u64 {
    window.length.as_secs()
}

/// What is left of a window, by what is kept and by what this process knows itself. Another process may have made calls meanwhile. What is
/// emptier than a window can be was kept by a clock that was ahead, and to pass over it costs no more than a refusal by the system.
fn rate(window: CallWindow, now: Timestamp, kept: &WholeAgain, own: &WholeAgain) -> Gcra {
    let emptiest = now.saturating_add(LONGEST_WAIT + window.length).unwrap_or(Timestamp::MAX);
    let own = own.get(&seconds(window)).copied().unwrap_or(Timestamp::MIN);
    let kept = kept.get(&seconds(window)).copied().filter(|kept| *kept <= emptiest);
    Gcra::new(window, kept.map_or(own, |kept| kept.max(own)).min(emptiest))
}

#[async_trait]
impl Transport for Paced {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        while let Err(wait) = self.take().await {
            if wait > LONGEST_TOLD_WAIT {
                // The system said so to an earlier request.
                return Err(TransportError::HeldBack { wait });
            }
            if wait >= TOLD_FROM {
                // Somebody may be looking on, and would take it for stuck.
                tracing::warn!("waiting {} s before the next call, for `maxCalls` or a limit of the system", wait.as_secs());
            } else {
                tracing::debug!(?wait, "the system accepts no more calls now");
            }
            // At least a millisecond, the least tokio knows.
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
        let response = self.inner.send(request).await?;
        if response.status == StatusCode::TOO_MANY_REQUESTS {
            let wait = retry_after(&response.headers).unwrap_or(self.budget.shortest().interval());
            // The shortest alone: a longer window would take hours to be whole again.
            self.change(|rates, now| {
                let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
                rates.iter_mut().take(1).for_each(|rate| rate.hold_until(until));
            })
            .await;
        }
        Ok(response)
    }

    fn clock_difference(&self) -> Option<SignedDuration> {
        self.inner.clock_difference()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::super::RequestBody;
    use super::super::scripted::{Reply, Scripted, answer};
    use super::*;

    /// A clock that follows tokio's time.
    pub(crate) struct TokioClock(Timestamp, tokio::time::Instant);

    impl TokioClock {
        pub(crate) fn new() -> Self {
            Self(Timestamp::from_second(1_800_000_000).expect("in range"), tokio::time::Instant::now())
        }
    }

    impl Clock for TokioClock {
        fn now(&self) -> Timestamp {
            self.0.saturating_add(self.1.elapsed()).expect("in range")
        }
    }

    /// A memory in this process.
    #[derive(Default)]
    pub(crate) struct Remembered(Mutex<WholeAgain>);

    #[async_trait]
    impl CallMemory for Remembered {
        async fn update(&self, change: &mut (dyn FnMut(WholeAgain) -> Option<WholeAgain> + Send)) -> std::io::Result<()> {
            let mut kept = self.0.lock().expect("not poisoned");
            if let Some(next) = change(kept.clone()) {
                *kept = next;
            }
            Ok(())
        }
    }

    const BUDGET: CallBudget = CallBudget::new(1_000, Duration::from_secs(600));

    fn request() -> Request {
        Request {
            method: http::Method::GET,
            url: url::Url::parse("https://zuora.example/").expect("valid"),
            headers: http::HeaderMap::new(),
            body: RequestBody::Empty,
        }
    }

    /// A system that lets no more than a thousand calls pass in any ten minutes, and answers each other one with 429.
    fn strict() -> (Arc<Scripted>, Arc<Mutex<usize>>) {
        strict_in(BUDGET)
    }

    /// One that lets no more calls pass in any window than a budget has.
    fn strict_in(budget: CallBudget) -> (Arc<Scripted>, Arc<Mutex<usize>>) {
        let refused = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&refused);
        let mut recent: VecDeque<tokio::time::Instant> = VecDeque::new();
        let system = Scripted::new(move |_| {
            let now = tokio::time::Instant::now();
            let in_window =
                |window: CallWindow| recent.iter().filter(|earlier| now.duration_since(**earlier) <= window.length).count();
            if budget.windows().any(|window| in_window(window) >= window.calls as usize) {
                *counted.lock().expect("not poisoned") += 1;
                return answer(429, &[("retry-after", "120")], "");
            }
            recent.push_back(now);
            answer(200, &[], "")
        });
        (Arc::new(system), refused)
    }

    #[tokio::test(start_paused = true)]
    async fn two_thousand_calls_of_many_at_once_never_go_over_the_limit() {
        let (system, refused) = strict();
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let paced = Paced::new(system.clone(), BUDGET, clock, Arc::new(Remembered::default()));
        let started = tokio::time::Instant::now();
        let calls = (0..8).map(|_| async {
            for _ in 0..250 {
                paced.send(request()).await.expect("sent");
            }
        });
        futures::future::join_all(calls).await;
        assert_eq!((*refused.lock().expect("not poisoned"), system.seen().len()), (0, 2_000));
        let (took, foretold) = (started.elapsed().as_secs_f64(), BUDGET.least_time(2_000).as_secs_f64());
        assert!(took >= foretold - 0.001 && took < foretold * 1.01, "{took} seconds, {foretold} foretold");
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_process_goes_on_where_the_last_one_stopped() {
        let (system, refused) = strict();
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let memory = Arc::new(Remembered::default());
        let started = tokio::time::Instant::now();
        // Each process alone would have its burst at once.
        for _ in 0..30 {
            let paced = Paced::new(system.clone(), BUDGET, Arc::clone(&clock), memory.clone());
            for _ in 0..50 {
                paced.send(request()).await.expect("sent");
            }
        }
        assert_eq!(*refused.lock().expect("not poisoned"), 0);
        assert!(started.elapsed() >= BUDGET.least_time(1_500));
    }

    #[tokio::test(start_paused = true)]
    async fn two_processes_side_by_side_share_what_is_left() {
        let (system, refused) = strict();
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let memory = Arc::new(Remembered::default());
        let process = || Paced::new(system.clone(), BUDGET, Arc::clone(&clock), memory.clone());
        let processes = [process(), process()];
        for _ in 0..1_000 {
            for paced in &processes {
                paced.send(request()).await.expect("sent");
            }
        }
        assert_eq!(*refused.lock().expect("not poisoned"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn several_windows_hold_at_once_and_what_fits_into_all_of_them_is_not_slowed() {
        let budget = CallBudget::new(100, Duration::from_secs(60)).and(200, Duration::from_secs(3_600));
        let budget = budget.and(300, Duration::from_secs(86_400));
        let (system, refused) = strict_in(budget);
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let memory = Arc::new(Remembered::default());
        let started = tokio::time::Instant::now();
        let mut took = Vec::new();
        // Each fifty by another process.
        for _ in 0..12 {
            let paced = Paced::new(system.clone(), budget, Arc::clone(&clock), memory.clone());
            for _ in 0..50 {
                paced.send(request()).await.expect("sent");
            }
            took.push(started.elapsed().as_secs());
        }
        assert_eq!((*refused.lock().expect("not poisoned"), system.seen().len()), (0, 600));
        assert!(took[0] < 60, "the minute alone: {took:?}");
        assert!(took[11] > 2 * 86_400 && took[11] < 3 * 86_400, "the day in the end: {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_everything_back_for_as_long_as_it_says() {
        for (header, waits) in [("retry-after", 120), ("ratelimit-reset", 120)] {
            let mut first = true;
            let system = Arc::new(Scripted::new(move |_| {
                let status = if std::mem::take(&mut first) { 429 } else { 200 };
                answer(status, &[(header, "120")], "")
            }));
            let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
            let paced = Paced::new(system, BUDGET, clock, Arc::new(Remembered::default()));
            let started = tokio::time::Instant::now();
            assert_eq!(paced.send(request()).await.expect("sent").status, 429);
            assert_eq!(paced.send(request()).await.expect("sent").status, 200);
            assert_eq!(started.elapsed().as_secs(), waits);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_that_no_budget_can_have_is_not_waited_for() {
        let system = Arc::new(Scripted::new(|_| Reply::NotSent));
        let memory = Arc::new(Remembered::default());
        memory.update(&mut |_| Some([(600, Timestamp::MAX)].into())).await.expect("kept");
        let paced = Paced::new(system, BUDGET, Arc::new(TokioClock::new()), memory);
        let started = tokio::time::Instant::now();
        paced.send(request()).await.err().expect("no connection");
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_an_hour_and_nothing_is_sent_before_it_is_over() {
        let system = Arc::new(Scripted::new(|_| answer(429, &[("retry-after", "3600")], "")));
        let paced = Paced::new(system.clone(), BUDGET, Arc::new(TokioClock::new()), Arc::new(Remembered::default()));
        let started = tokio::time::Instant::now();
        assert_eq!(paced.send(request()).await.expect("an answer").status, 429);
        for _ in 0..2 {
            let error = paced.send(request()).await.err().expect("nothing is sent");
            assert!(matches!(error, TransportError::HeldBack { wait } if wait.as_secs() == 3_600), "{error:?}");
        }
        assert_eq!((system.seen().len(), started.elapsed()), (1, Duration::ZERO));
    }
}
