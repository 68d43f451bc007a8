//! How many calls a target may make of a system that counts them.

use crate::base::{Diagnostic, with_thousands};
use crate::manifest::fields::{Field, Findings};
use crate::manifest::node::Value;
use crate::manifest::{ZuoraCalls, codes};
use crate::system::zuora;

/// `maxCalls`, from 10 to what the system takes; all of that when it is not given.
pub(super) fn max_calls(field: Option<Field<'_>>, most: u32, findings: &mut Findings<'_>) -> Option<u32> {
    let Some(field) = field else { return Some(most) };
    within(field, most, "leave it out to use all that the system accepts; write less when other programs share it", findings)
}

/// `maxCalls` of Zuora: a number for ten minutes, or `{ minute: N, hour: N, day: N }`.
pub(super) fn zuora_calls(field: Option<Field<'_>>, findings: &mut Findings<'_>) -> Option<ZuoraCalls> {
    let Some(field) = field.filter(|field| matches!(field.node.value, Value::Mapping(_))) else {
        return max_calls(field, zuora::CALLS_IN_TEN_MINUTES, findings).map(ZuoraCalls::InTenMinutes);
    };
    let mut fields = findings.fields(field, "`maxCalls`")?;
    let windows = [("minute", zuora::CALLS_A_MINUTE), ("hour", zuora::CALLS_AN_HOUR), ("day", zuora::CALLS_A_DAY)];
    let windows = windows.map(|(key, most)| (fields.optional(key), most));
    fields.end(findings);
    if matches!(&field.node.value, Value::Mapping(entries) if entries.is_empty()) {
        findings.push(
            Diagnostic::error(codes::NUMBER_RANGE, "`maxCalls` names no window", field.place, "an empty mapping")
                .with_help("write at least one of `minute`, `hour` and `day`, or a number for ten minutes"),
        );
        return None;
    }
    let help = "write Sexton's share of what the tenant's limits are: the vendor's rate limits differ by the kind of tenant";
    let [minute, hour, day] = windows.map(|(field, most)| field.map(|field| within(field, most, help, findings)));
    // A window that could not be read has been reported, and must not be taken for one that is not there.
    let window = |read: Option<Option<u32>>| read.map_or(Some(None), |calls| calls.map(Some));
    let (minute, hour, day) = (window(minute)?, window(hour)?, window(day)?);
    let slip = |shorter: Option<u32>, longer: Option<u32>| matches!((shorter, longer), (Some(shorter), Some(longer)) if longer < shorter);
    if slip(minute, hour) || slip(minute, day) || slip(hour, day) {
        findings.push(
            Diagnostic::error(
                codes::NUMBER_RANGE,
                "a longer window of `maxCalls` has fewer calls than a shorter one",
                field.node.span,
                "the shorter one would never count",
            )
            .with_help("correct the numbers, or leave the shorter window out"),
        );
        return None;
    }
    if (minute, hour, day) == (None, None, None) {
        return None;
    }
    Some(ZuoraCalls::InWindows { minute, hour, day })
}

fn within(field: Field<'_>, most: u32, help: &str, findings: &mut Findings<'_>) -> Option<u32> {
    let count = findings.count(field)?;
    let within = u32::try_from(count).ok().filter(|count| (10..=most).contains(count));
    if within.is_none() {
        let most = with_thousands(most.into());
        let title = format!("`{}` must be from 10 to {most}", field.key);
        let label = format!("the system takes at most {most}");
        findings.push(Diagnostic::error(codes::NUMBER_RANGE, title, field.node.span, label).with_help(help));
    }
    within
}
