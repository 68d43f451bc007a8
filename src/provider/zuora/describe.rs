//! What is known of an object. The system has no call that tells.

use super::query::check_names;
use crate::plan::{ChildRelationship, FieldFacts, ObjectFacts};
use crate::provider::ProviderError;
use crate::system::FieldType;
use crate::system::{zuora_object, zuora_objects};

/// What is known of an object. One that is not known is taken for one of a newer WSDL, and the system judges it.
pub(super) fn describe(object: &str) -> Result<ObjectFacts, ProviderError> {
    check_names("describe the object", [object])?;
    let known = zuora_object(object);
    let field = |(name, kind): (&str, FieldType)| FieldFacts {
        name: name.to_owned(),
        kind,
        filterable: true,
        nillable: name != "Id",
        relationship_name: None,
        reference_to: referenced(name).map(str::to_owned).into_iter().collect(),
    };
    Ok(ObjectFacts {
        name: known.map_or(object, |known| known.name).to_owned(),
        deletable: known.is_none_or(|known| known.deletable),
        undeletable: false,
        queryable: true,
        key_prefix: None,
        fields: known.into_iter().flat_map(|known| known.fields()).map(field).collect(),
        // Custom fields, and those of a newer WSDL.
        knows_all_fields: false,
        children: children(known.map_or(object, |known| known.name)),
    })
}

/// The object whose records a field names: the one it is called after. Others, such as `BillToId`, are called after a role.
fn referenced(field: &str) -> Option<&'static str> {
    let object = field.strip_suffix("Id").and_then(zuora_object)?;
    Some(object.name)
}

/// What goes with a record of an object: with an account everything that belongs to it (documented: its transactions), with the
/// others their parts (guess). A guess that is wrong makes a hold keep more than it must, and never less.
fn children(parent: &str) -> Vec<ChildRelationship> {
    let field = match parent {
        "Account" => "AccountId",
        "Invoice" => "InvoiceId",
        "Product" => "ProductId",
        "ProductRatePlan" => "ProductRatePlanId",
        "Subscription" => "SubscriptionId",
        _ => return Vec::new(),
    };
    let parts: &[&str] = match parent {
        "Invoice" => &["InvoiceItem", "TaxationItem"],
        "Product" => &["ProductRatePlan"],
        "ProductRatePlan" => &["ProductRatePlanCharge"],
        "Subscription" => &["Amendment", "RatePlan"],
        _ => &[],
    };
    zuora_objects()
        .iter()
        .filter(|child| child.fields().any(|(name, _)| name == field))
        .filter(|child| parts.is_empty() || parts.contains(&child.name))
        .map(|child| ChildRelationship {
            child: child.name.to_owned(),
            field: field.to_owned(),
            cascades: true,
            restricts: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_an_account_goes_with_it() {
        let children = |object: &str| -> Vec<String> {
            describe(object).expect("a name").children.into_iter().map(|child| child.child).collect()
        };
        for child in ["Contact", "Usage", "Subscription", "Invoice", "PaymentMethod"] {
            assert!(children("account").contains(&child.to_owned()), "{child}");
        }
        assert_eq!(children("ProductRatePlan"), ["ProductRatePlanCharge"]);
        assert!(children("Usage").is_empty());
    }

    #[test]
    fn knows_the_objects_of_the_wsdl_and_leaves_others_to_the_system() {
        let usage = describe("usage").expect("a name");
        assert_eq!((usage.name.as_str(), usage.deletable, usage.undeletable), ("Usage", true, false));
        assert_eq!(usage.field("updateddate").map(|field| field.kind), Some(FieldType::DateTime));
        assert!(!usage.has_no_field("Legacy__c"));
        assert!(!describe("Payment").expect("a name").deletable);
        let unknown = describe("Gadget").expect("a name");
        assert!(unknown.deletable && unknown.fields.is_empty());
        assert!(describe("Usage where").is_err());
    }
}
