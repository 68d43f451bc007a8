//! What is known of an object. The system has no call that tells.

use super::query::check_names;
use crate::filter::FieldType;
use crate::manifest::zuora_object;
use crate::plan::{FieldFacts, ObjectFacts};
use crate::provider::ProviderError;

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
        reference_to: Vec::new(),
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
        children: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
