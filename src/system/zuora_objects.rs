//! What is known of Zuora's objects without asking a tenant, which has no call to ask by.

use super::FieldType::{self, Boolean, Date, DateTime, Number, Reference, Text};

/// One object of Zuora's WSDL.
#[derive(Debug)]
pub struct ZuoraObject {
    /// Its name, whose case matters in `delete()`.
    pub name: &'static str,
    /// Whether SOAP `delete()` takes records of it at all (documented). Some of those are refused one by one.
    pub deletable: bool,
    /// Its fields by type, names parted by spaces. `Id` and the four that say who created and updated it when are left out: every object
    /// has them.
    fields: &'static [(FieldType, &'static str)],
}

/// The object of that name, whatever its case; `None` for one that is not known here, which may exist all the same.
pub fn zuora_object(name: &str) -> Option<&'static ZuoraObject> {
    OBJECTS.iter().find(|object| object.name.eq_ignore_ascii_case(name))
}

/// Every object that is known here.
pub fn zuora_objects() -> &'static [ZuoraObject] {
    OBJECTS
}

impl ZuoraObject {
    /// The known fields with their types. A tenant has more: custom fields, and those of a newer WSDL.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, FieldType)> {
        let own = self.fields.iter().flat_map(|(kind, names)| names.split_whitespace().map(|name| (name, *kind)));
        COMMON.into_iter().chain(own)
    }
}

const COMMON: [(&str, FieldType); 5] = [
    ("Id", Reference),
    ("CreatedById", Reference),
    ("CreatedDate", DateTime),
    ("UpdatedById", Reference),
    ("UpdatedDate", DateTime),
];

const fn taken(name: &'static str, fields: &'static [(FieldType, &'static str)]) -> ZuoraObject {
    ZuoraObject { name, deletable: true, fields }
}

const fn refused(name: &'static str, fields: &'static [(FieldType, &'static str)]) -> ZuoraObject {
    ZuoraObject { name, deletable: false, fields }
}

/// The objects that the documentation says something about, with the fields of WSDL 78.
const OBJECTS: &[ZuoraObject] = &[
    taken(
        "Account",
        &[
            (Boolean, "AllowInvoiceEdit AutoPay InvoiceDeliveryPrefsEmail InvoiceDeliveryPrefsPrint"),
            (Date, "LastInvoiceDate TaxExemptEffectiveDate TaxExemptExpirationDate"),
            (Number, "Balance BillCycleDay"),
            (Reference, "BillToId CommunicationProfileId DefaultPaymentMethodId InvoiceTemplateId SoldToId"),
            (
                Text,
                "AccountNumber AdditionalEmailAddresses Batch BcdSettingOption CrmId Currency \
                CustomerServiceRepName Name Notes PaymentGateway PaymentTerm PurchaseOrderNumber \
                SalesRepName Status TaxCompanyCode TaxExemptCertificateID TaxExemptCertificateType \
                TaxExemptDescription TaxExemptIssuingJurisdiction TaxExemptStatus VATId",
            ),
        ],
    ),
    refused("AccountingPeriod", &[(Date, "EndDate StartDate"), (Number, "FiscalYear"), (Text, "Name Notes Status")]),
    taken(
        "Amendment",
        &[
            (Boolean, "AutoRenew"),
            (
                Date,
                "ContractEffectiveDate CustomerAcceptanceDate EffectiveDate ServiceActivationDate \
                SpecificUpdateDate TermStartDate",
            ),
            (Number, "CurrentTerm RenewalTerm"),
            (Reference, "SubscriptionId"),
            (
                Text,
                "Code CurrentTermPeriodType Description Name RenewalSetting RenewalTermPeriodType Status \
                TermType Type",
            ),
        ],
    ),
    refused("CommunicationProfile", &[(Text, "Description ProfileName")]),
    taken(
        "Contact",
        &[
            (Reference, "AccountId"),
            (
                Text,
                "Address1 Address2 City Country County Description Fax FirstName HomePhone LastName \
                MobilePhone NickName OtherPhone OtherPhoneType PersonalEmail PostalCode State TaxRegion \
                WorkEmail WorkPhone",
            ),
        ],
    ),
    refused(
        "Import",
        &[
            (Number, "ImportedCount TotalCount"),
            (Text, "ImportType Md5 Name OriginalResourceUrl ResultResourceUrl Status StatusReason"),
        ],
    ),
    taken(
        "Invoice",
        &[
            (Boolean, "IncludesOneTime IncludesRecurring IncludesUsage RegenerateInvoicePDF"),
            (Date, "DueDate InvoiceDate TargetDate"),
            (DateTime, "LastEmailSentDate PostedDate"),
            (
                Number,
                "AdjustmentAmount Amount AmountWithoutTax Balance PaymentAmount RefundAmount TaxAmount \
                TaxExemptAmount",
            ),
            (Reference, "AccountId BillRunId PostedBy"),
            (Text, "Body Comments InvoiceNumber Status TransferredToAccounting"),
        ],
    ),
    taken("InvoiceAdjustment", &[]),
    refused(
        "InvoiceItem",
        &[
            (Date, "RevRecStartDate ServiceEndDate ServiceStartDate"),
            (DateTime, "ChargeDate"),
            (Number, "ChargeAmount ProcessingType Quantity TaxAmount TaxExemptAmount UnitPrice"),
            (Reference, "AppliedToInvoiceItemId InvoiceId ProductId RatePlanChargeId SubscriptionId"),
            (
                Text,
                "AccountingCode ChargeDescription ChargeId ChargeName ChargeNumber ChargeType \
                ProductDescription ProductName ProductRatePlanChargeId RevRecCode RevRecTriggerCondition \
                SKU SubscriptionNumber TaxCode TaxMode UOM",
            ),
        ],
    ),
    taken(
        "InvoiceItemAdjustment",
        &[
            (Date, "AdjustmentDate ServiceEndDate ServiceStartDate"),
            (DateTime, "CancelledDate"),
            (Number, "Amount"),
            (Reference, "AccountId CancelledById InvoiceId"),
            (
                Text,
                "AccountingCode AdjustmentNumber Comment CustomerName CustomerNumber InvoiceItemName \
                InvoiceNumber ReasonCode ReferenceId SourceId SourceType Status TransferredToAccounting \
                Type",
            ),
        ],
    ),
    refused("InvoicePayment", &[(Number, "Amount RefundAmount"), (Reference, "InvoiceId PaymentId")]),
    refused(
        "Payment",
        &[
            (Date, "EffectiveDate"),
            (DateTime, "CancelledOn MarkedForSubmissionOn SettledOn SubmittedOn"),
            (Number, "Amount AppliedInvoiceAmount RefundAmount"),
            (Reference, "AccountId InvoiceId PaymentMethodId PaymentMethodSnapshotId"),
            (
                Text,
                "AccountingCode AuthTransactionId BankIdentificationNumber Comment Gateway GatewayOrderId \
                GatewayResponse GatewayResponseCode GatewayState InvoiceNumber PaymentNumber ReferenceId \
                SecondPaymentReferenceId SoftDescriptor SoftDescriptorPhone Source SourceName Status \
                TransferredToAccounting Type",
            ),
        ],
    ),
    taken(
        "PaymentMethod",
        &[
            (Boolean, "Active SkipValidation UseDefaultRetryRule"),
            (Date, "MandateCreationDate MandateUpdateDate"),
            (DateTime, "LastFailedSaleTransactionDate LastTransactionDateTime"),
            (
                Number,
                "CreditCardExpirationMonth CreditCardExpirationYear MaxConsecutivePaymentFailures \
                NumConsecutiveFailures PaymentRetryWindow TotalNumberOfErrorPayments \
                TotalNumberOfProcessedPayments",
            ),
            (Reference, "AccountId"),
            (
                Text,
                "AchAbaCode AchAccountName AchAccountNumber AchAccountNumberMask AchAccountType AchAddress1 \
                AchAddress2 AchBankName BankBranchCode BankCheckDigit BankCity BankCode \
                BankIdentificationNumber BankName BankPostalCode BankStreetName BankStreetNumber \
                BankTransferAccountName BankTransferAccountNumber BankTransferAccountNumberMask \
                BankTransferAccountType BankTransferType BusinessIdentificationCode City Country \
                CreditCardAddress1 CreditCardAddress2 CreditCardCity CreditCardCountry \
                CreditCardHolderName CreditCardMaskNumber CreditCardNumber CreditCardPostalCode \
                CreditCardSecurityCode CreditCardState CreditCardType DeviceSessionId Email \
                ExistingMandate FirstName IBAN IPAddress LastName LastTransactionStatus MandateID \
                MandateReceived Name PaymentMethodStatus PaypalBaid PaypalEmail PaypalPreapprovalKey \
                PaypalType Phone PostalCode SecondTokenId State StreetName StreetNumber TokenId Type",
            ),
        ],
    ),
    taken(
        "Product",
        &[
            (Boolean, "AllowFeatureChanges"),
            (Date, "EffectiveEndDate EffectiveStartDate"),
            (Text, "Category Description Name SKU"),
        ],
    ),
    taken(
        "ProductRatePlan",
        &[
            (Date, "EffectiveEndDate EffectiveStartDate"),
            (Reference, "ProductId"),
            (Text, "ActiveCurrencies Description Name"),
        ],
    ),
    taken(
        "ProductRatePlanCharge",
        &[
            (
                Boolean,
                "LegacyRevenueReporting Taxable UseDiscountSpecificAccountingCode \
                UseTenantDefaultForPriceChange",
            ),
            (
                Number,
                "BillCycleDay DefaultQuantity IncludedUnits MaxQuantity MinQuantity NumberOfPeriod \
                PriceIncreasePercentage SpecificBillingPeriod UpToPeriods",
            ),
            (Reference, "ProductRatePlanId"),
            (
                Text,
                "AccountingCode ApplyDiscountTo BillCycleType BillingPeriod BillingPeriodAlignment \
                BillingTiming ChargeModel ChargeType DeferredRevenueAccount Description DiscountLevel \
                EndDateCondition ListPriceBase Name OverageCalculationOption \
                OverageUnusedUnitsCreditOption PriceChangeOption RecognizedRevenueAccount \
                RevenueRecognitionRuleName RevRecCode RevRecTriggerCondition SmoothingModel TaxCode \
                TaxMode TriggerEvent UOM UpToPeriodsType UsageRecordRatingOption WeeklyBillCycleDay",
            ),
        ],
    ),
    refused(
        "ProductRatePlanChargeTier",
        &[
            (Boolean, "IsOveragePrice"),
            (Number, "DiscountAmount DiscountPercentage EndingUnit Price StartingUnit Tier"),
            (Reference, "ProductRatePlanChargeId"),
            (Text, "Currency PriceFormat"),
        ],
    ),
    refused(
        "RatePlan",
        &[
            (Reference, "AmendmentId AmendmentSubscriptionRatePlanId ProductRatePlanId SubscriptionId"),
            (Text, "AmendmentType Name"),
        ],
    ),
    refused(
        "RatePlanCharge",
        &[
            (Boolean, "IsLastSegment UseDiscountSpecificAccountingCode"),
            (
                Date,
                "ChargedThroughDate EffectiveEndDate EffectiveStartDate ProcessedThroughDate \
                SpecificEndDate TriggerDate",
            ),
            (
                Number,
                "BillCycleDay DiscountAmount DiscountPercentage DMRC DTCV IncludedUnits MRR NumberOfPeriods \
                OveragePrice Price PriceIncreasePercentage Quantity RolloverBalance Segment \
                SpecificBillingPeriod TCV UnusedUnitsCreditRates UpToPeriods Version",
            ),
            (Reference, "OriginalId ProductRatePlanChargeId RatePlanId"),
            (
                Text,
                "AccountingCode ApplyDiscountTo BillCycleType BillingPeriod BillingPeriodAlignment \
                BillingTiming ChargeModel ChargeNumber ChargeType Description DiscountLevel \
                EndDateCondition ListPriceBase Name OverageCalculationOption \
                OverageUnusedUnitsCreditOption PriceChangeOption RevenueRecognitionRuleName RevRecCode \
                RevRecTriggerCondition TriggerEvent UOM UpToPeriodsType UsageRecordRatingOption \
                WeeklyBillCycleDay",
            ),
        ],
    ),
    refused(
        "RatePlanChargeTier",
        &[
            (Boolean, "IsOveragePrice"),
            (Number, "EndingUnit Price StartingUnit Tier"),
            (Reference, "RatePlanChargeId"),
            (Text, "PriceFormat"),
        ],
    ),
    refused("RatePlanData", &[]),
    refused(
        "Refund",
        &[
            (Date, "RefundDate"),
            (DateTime, "CancelledOn MarkedForSubmissionOn RefundTransactionTime SettledOn SubmittedOn"),
            (Number, "Amount"),
            (Reference, "AccountId PaymentId PaymentMethodId PaymentMethodSnapshotId"),
            (
                Text,
                "AccountingCode Comment Gateway GatewayResponse GatewayResponseCode GatewayState MethodType \
                ReasonCode ReferenceID RefundNumber SecondRefundReferenceId SoftDescriptor \
                SoftDescriptorPhone SourceType Status TransferredToAccounting Type",
            ),
        ],
    ),
    taken(
        "Subscription",
        &[
            (Boolean, "AutoRenew IsInvoiceSeparate"),
            (
                Date,
                "CancelledDate ContractAcceptanceDate ContractEffectiveDate ServiceActivationDate \
                SubscriptionEndDate SubscriptionStartDate TermEndDate TermStartDate",
            ),
            (DateTime, "OriginalCreatedDate"),
            (Number, "CurrentTerm InitialTerm RenewalTerm Version"),
            (Reference, "AccountId OriginalId PreviousSubscriptionId"),
            (
                Text,
                "CurrentTermPeriodType InitialTermPeriodType Name Notes RenewalSetting \
                RenewalTermPeriodType Status TermType",
            ),
        ],
    ),
    refused("SubscriptionData", &[]),
    taken(
        "TaxationItem",
        &[
            (Date, "TaxDate"),
            (Number, "ExemptAmount TaxAmount TaxRate"),
            (Reference, "InvoiceId InvoiceItemId"),
            (
                Text,
                "AccountingCode Jurisdiction LocationCode Name TaxCode TaxCodeDescription \
                TaxRateDescription TaxRateType",
            ),
        ],
    ),
    taken(
        "Usage",
        &[
            (DateTime, "EndDateTime StartDateTime SubmissionDateTime"),
            (Number, "Quantity"),
            (Reference, "AccountId ChargeId ImportId InvoiceId SubscriptionId"),
            (
                Text,
                "AccountNumber ChargeNumber Description InvoiceNumber RbeStatus SourceName SourceType \
                SubscriptionNumber UOM",
            ),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_can_be_deleted_and_knows_types() {
        let usage = zuora_object("usage").expect("known");
        assert!(usage.deletable && usage.name == "Usage");
        assert_eq!(usage.fields().find(|(name, _)| *name == "Quantity"), Some(("Quantity", Number)));
        assert_eq!(usage.fields().filter(|(name, _)| *name == "Id").count(), 1);
        assert!(!zuora_object("Payment").expect("known").deletable);
        assert!(zuora_object("Gadget__c").is_none());
    }

    #[test]
    fn no_name_stands_twice() {
        for object in OBJECTS {
            let mut names: Vec<&str> = object.fields().map(|(name, _)| name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}", object.name);
        }
        assert!(OBJECTS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
