//! Whether the login may delete, asked before anything is.

use super::call::Call;
use super::describe::describe;
use super::error_table::HARD_DELETE_HELP;
use super::query::{QueryPage, field_text};
use super::session::Session;
use crate::manifest::DeleteMode;
use crate::provider::{ErrorClass, ProviderError};

/// Checks that this login may delete records of an object in that way.
pub(super) async fn check(session: &Session, object: &str, delete: DeleteMode) -> Result<(), ProviderError> {
    let facts = describe(session, object).await?;
    if !facts.deletable {
        return Err(ProviderError {
            help: Some(format!(
                "grant `Delete` on {object} to this user, or check that records of it can be deleted at all"
            )),
            ..denied(object, "not-deletable", format!("the system says that {object} is not deletable for this user"))
        });
    }
    match delete {
        DeleteMode::Soft => Ok(()),
        DeleteMode::Hard => check_hard_delete(session, object).await,
    }
}

async fn check_hard_delete(session: &Session, object: &str) -> Result<(), ProviderError> {
    let soql = "SELECT PermissionsBulkApiHardDelete FROM UserPermissionAccess";
    let call =
        Call::get(format!("check the permission to hard delete {object} records"), "query").parameters(&[("q", soql)]);
    let page: QueryPage = match session.read_json(&call).await {
        Ok(page) => page,
        // An org that cannot answer refuses the job when it is made, which is before anything is deleted.
        Err(error) if matches!(error.class, ErrorClass::Invalid | ErrorClass::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let rows = page.whole(&call)?;
    match rows.first().and_then(|row| field_text(row, "PermissionsBulkApiHardDelete")).as_deref() {
        Some("true") => Ok(()),
        Some("false") => Err(ProviderError {
            help: Some(HARD_DELETE_HELP.into()),
            ..denied(object, "FEATURENOTENABLED", "this user does not have the permission to hard delete".into())
        }),
        _ => Err(call.unreadable("the permission is neither true nor false")),
    }
}

fn denied(object: &str, code: &str, message: String) -> ProviderError {
    super::call::error(ErrorClass::Denied, &format!("delete {object} records"), code, message)
}
