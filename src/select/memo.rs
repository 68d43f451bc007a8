//! Answers that are asked for once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Answers by name. A caller waits for an answer that is already being fetched. A failure is not kept: the next caller asks again.
pub(super) struct Memo<T> {
    cells: Mutex<BTreeMap<String, Arc<OnceCell<T>>>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { cells: Mutex::default() }
    }
}

impl<T: Clone> Memo<T> {
    /// The answer of that name, from `ask` where there is none yet.
    pub(super) async fn get<E, F>(&self, name: &str, ask: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(name.to_owned()).or_default())
        };
        cell.get_or_try_init(ask).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_question_serves_all_who_ask_meanwhile_and_later() {
        let (memo, asked) = (Memo::default(), AtomicU32::new(0));
        let ask = || async {
            tokio::task::yield_now().await;
            Ok::<_, ()>(asked.fetch_add(1, Ordering::Relaxed))
        };
        assert_eq!(tokio::join!(memo.get("Lead", ask), memo.get("Lead", ask)), (Ok(0), Ok(0)));
        assert_eq!(memo.get("Lead", ask).await, Ok(0));
        assert_eq!(memo.get("Task", ask).await, Ok(1));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_who_waited_asks_anew() {
        let (memo, asked) = (Memo::default(), AtomicU32::new(0));
        let ask = || async {
            tokio::task::yield_now().await;
            match asked.fetch_add(1, Ordering::Relaxed) {
                0 => Err("down"),
                number => Ok(number),
            }
        };
        assert_eq!(tokio::join!(memo.get("Lead", ask), memo.get("Lead", ask)), (Err("down"), Ok(1)));
    }
}
