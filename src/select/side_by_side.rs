//! Reading for several policies or holds at once.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::ordered_observer::OrderedObserver;
use crate::base::{CommandError, Observer};

/// How many policies or holds are read at once, whatever their number: each has a window of memory and a few files of its own.
pub const AT_ONCE: usize = 4;

/// Does `work` for every item, a few of them at once. Results, what is told and the error of several that counts have the order
/// of the items, whichever comes first.
///
/// # Errors
///
/// The error of the first item that has one. Works that are under way then are given up.
pub async fn side_by_side<I, T, F>(
    observer: &Arc<dyn Observer>,
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I, Arc<dyn Observer>) -> F,
) -> Result<Vec<T>, CommandError>
where
    F: Future<Output = Result<T, CommandError>>,
{
    let ordered = OrderedObserver::new(Arc::clone(observer));
    let works = items.into_iter().enumerate().map(|(place, item)| {
        let ordered = Arc::clone(&ordered);
        let work = work(item, ordered.at(place));
        async move {
            let result = work.await?;
            ordered.end(place);
            Ok(result)
        }
    });
    stream::iter(works).buffered(AT_ONCE).try_collect().await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::base::PolicyName;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Observer for Seen {
        fn progress(&self, _: Option<&PolicyName>, _: &str, _: u64, _: Option<u64>) {}

        fn warn(&self, message: &str) {
            self.0.lock().expect("not poisoned").push(message.to_owned());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn results_and_lines_stand_in_the_order_of_the_items_and_few_are_at_work_at_once() {
        let seen = Arc::new(Seen::default());
        let observer: Arc<dyn Observer> = seen.clone();
        let (at_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (at_work, most) = (&at_work, &most);
        let numbers = side_by_side(&observer, 0..20_u64, |number, observer| async move {
            most.fetch_max(at_work.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(number * 7 % 5 * 10)).await;
            observer.warn(&number.to_string());
            at_work.fetch_sub(1, Ordering::Relaxed);
            Ok(number)
        })
        .await
        .expect("no error");
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        let lines: Vec<String> = numbers.iter().map(u64::to_string).collect();
        assert_eq!(*seen.0.lock().expect("not poisoned"), lines);
        assert_eq!(most.load(Ordering::Relaxed), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_errors_the_first_in_order_counts_and_nothing_behind_it_is_told() {
        let seen = Arc::new(Seen::default());
        let observer: Arc<dyn Observer> = seen.clone();
        let ended = side_by_side(&observer, 0..4_u64, |number, observer| async move {
            tokio::time::sleep(Duration::from_millis(100 - number)).await;
            observer.warn(&number.to_string());
            if number == 0 { Ok(number) } else { Err(CommandError::plain(format!("broken {number}"))) }
        })
        .await;
        assert_eq!(ended.expect_err("an error").title, "broken 1");
        assert_eq!(*seen.0.lock().expect("not poisoned"), ["0", "1"]);
    }
}
