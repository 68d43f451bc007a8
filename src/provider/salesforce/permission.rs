//! Whether the login may delete, asked before anything is.

use super::call::Call;
use super::describe::describe;
use super::error_table::HARD_DELETE_HELP;
use super::query_page::{QueryPage, field_text};
use super::session::Session;
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::DeleteMode;

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
    error(ErrorClass::Denied, &format!("delete {object} records"), code, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, json};

    async fn check(deletable: bool, delete: DeleteMode, permission: fn() -> Reply) -> Result<(), ProviderError> {
        let (provider, _) = org(move |seen| {
            match seen.path.ends_with("/describe") {
            true => json(
                200,
                value!({"name": "Contact", "deletable": deletable, "undeletable": true, "queryable": true, "keyPrefix": "003",
                    "fields": [], "childRelationships": []})
                .to_string(),
            ),
            false => permission(),
        }
        });
        provider.check_permission("Contact", delete).await
    }

    fn permission(granted: serde_json::Value) -> Reply {
        json(200, page(1, true, None, vec![value!({"PermissionsBulkApiHardDelete": granted})]).to_string())
    }

    #[tokio::test]
    async fn an_object_that_cannot_be_deleted_is_denied() {
        let error = check(false, DeleteMode::Soft, || panic!("not asked")).await.expect_err("denied");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Denied, "not-deletable"));
        check(true, DeleteMode::Soft, || panic!("not asked")).await.expect("allowed");
    }

    #[tokio::test]
    async fn a_hard_delete_needs_its_permission_and_the_error_names_it() {
        check(true, DeleteMode::Hard, || permission(true.into())).await.expect("allowed");
        let error = check(true, DeleteMode::Hard, || permission(false.into())).await.expect_err("denied");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Denied, "FEATURENOTENABLED"));
        insta::assert_snapshot!(error.help.expect("a remedy"),
            @"grant the system permission `Bulk API Hard Delete` to this user, in a permission set under System Permissions");
        let error = check(true, DeleteMode::Hard, || permission("maybe".into())).await.expect_err("unreadable");
        assert_eq!(error.class, ErrorClass::Malformed);
    }

    #[tokio::test]
    async fn an_org_that_does_not_know_the_question_is_asked_again_when_the_job_is_made() {
        let unknown = || {
            json(400, r#"[{"errorCode":"INVALID_TYPE","message":"sObject type 'UserPermissionAccess' is not supported."}]"#)
        };
        check(true, DeleteMode::Hard, unknown).await.expect("not known here");
    }
}
