//! The objects of a tenant and their fields.

use super::evaluate::Value;
use super::zoql::read_day;

/// The main fields of the main objects, in the order of WSDL 78 (documented), with their kinds; text unless said. `Id` stands
/// before them all. Credit memos are of a newer one.
const STANDARD: &str = "
Account AccountNumber AdditionalEmailAddresses AllowInvoiceEdit:yes AutoPay:yes Balance:number Batch BcdSettingOption \
BillCycleDay:number BillToId:id CommunicationProfileId:id CreatedById:id CreatedDate:moment CrmId Currency \
CustomerServiceRepName DefaultPaymentMethodId:id InvoiceDeliveryPrefsEmail:yes InvoiceDeliveryPrefsPrint:yes \
InvoiceTemplateId:id LastInvoiceDate:day Name Notes PaymentGateway PaymentTerm PurchaseOrderNumber SalesRepName SoldToId:id \
Status TaxExemptStatus UpdatedById:id UpdatedDate:moment VATId
Amendment AutoRenew:yes Code ContractEffectiveDate:day CreatedById:id CreatedDate:moment CurrentTerm:number \
CustomerAcceptanceDate:day Description EffectiveDate:day Name RenewalTerm:number ServiceActivationDate:day Status \
SubscriptionId:id TermStartDate:day TermType Type UpdatedById:id UpdatedDate:moment
Contact AccountId:id Address1 Address2 City Country County CreatedById:id CreatedDate:moment Description Fax FirstName \
HomePhone LastName MobilePhone NickName OtherPhone OtherPhoneType PersonalEmail PostalCode State TaxRegion UpdatedById:id \
UpdatedDate:moment WorkEmail WorkPhone
CreditMemo AccountId:id Amount:number Balance:number Comment CreatedById:id CreatedDate:moment MemoDate:day MemoNumber Status \
UpdatedById:id UpdatedDate:moment
CreditMemoItem Amount:number CreatedById:id CreatedDate:moment CreditMemoId:id SkuName UpdatedById:id UpdatedDate:moment
Invoice AccountId:id AdjustmentAmount:number Amount:number AmountWithoutTax:number Balance:number BillRunId:id Body Comments \
CreatedById:id CreatedDate:moment DueDate:day IncludesOneTime:yes IncludesRecurring:yes IncludesUsage:yes InvoiceDate:day \
InvoiceNumber LastEmailSentDate:moment PaymentAmount:number PostedBy:id PostedDate:moment RefundAmount:number Status \
TargetDate:day TaxAmount:number TransferredToAccounting UpdatedById:id UpdatedDate:moment
InvoiceItem AccountingCode ChargeAmount:number ChargeDate:moment ChargeDescription ChargeId ChargeName ChargeNumber ChargeType \
CreatedById:id CreatedDate:moment InvoiceId:id ProductId:id ProductName Quantity:number RatePlanChargeId:id \
ServiceEndDate:day ServiceStartDate:day SKU SubscriptionId:id SubscriptionNumber TaxAmount:number UnitPrice:number UOM \
UpdatedById:id UpdatedDate:moment
InvoiceItemAdjustment AccountId:id AccountingCode AdjustmentDate:day AdjustmentNumber Amount:number Comment CreatedById:id \
CreatedDate:moment InvoiceId:id InvoiceNumber ReferenceId SourceId SourceType Status Type UpdatedById:id UpdatedDate:moment
Payment AccountId:id AccountingCode Amount:number CancelledOn:moment Comment CreatedById:id CreatedDate:moment \
EffectiveDate:day Gateway GatewayState InvoiceId:id InvoiceNumber PaymentMethodId:id PaymentNumber ReferenceId \
RefundAmount:number Source Status Type UpdatedById:id UpdatedDate:moment
PaymentMethod AccountId:id AchAbaCode AchAccountName AchAccountNumberMask AchBankName Active:yes BankName CreatedById:id \
CreatedDate:moment CreditCardExpirationMonth:number CreditCardExpirationYear:number CreditCardHolderName \
CreditCardMaskNumber CreditCardType Email LastTransactionDateTime:moment LastTransactionStatus Name PaymentMethodStatus \
PaypalEmail Phone Type UpdatedById:id UpdatedDate:moment
Product AllowFeatureChanges:yes Category CreatedById:id CreatedDate:moment Description EffectiveEndDate:day \
EffectiveStartDate:day Name SKU UpdatedById:id UpdatedDate:moment
ProductRatePlan ActiveCurrencies CreatedById:id CreatedDate:moment Description EffectiveEndDate:day EffectiveStartDate:day \
Name ProductId:id UpdatedById:id UpdatedDate:moment
ProductRatePlanCharge AccountingCode BillCycleDay:number BillCycleType BillingPeriod BillingTiming ChargeModel ChargeType \
CreatedById:id CreatedDate:moment DefaultQuantity:number Description IncludedUnits:number Name ProductRatePlanId:id \
Taxable:yes TriggerEvent UOM UpdatedById:id UpdatedDate:moment UsageRecordRatingOption
RatePlan AmendmentId:id AmendmentSubscriptionRatePlanId:id AmendmentType CreatedById:id CreatedDate:moment Name \
ProductRatePlanId:id SubscriptionId:id UpdatedById:id UpdatedDate:moment
Refund AccountId:id Amount:number Comment CreatedById:id CreatedDate:moment Gateway MethodType PaymentMethodId:id ReasonCode \
RefundDate:day RefundNumber SourceType Status Type UpdatedById:id UpdatedDate:moment
Subscription AccountId:id AutoRenew:yes CancelledDate:day ContractAcceptanceDate:day ContractEffectiveDate:day CreatedById:id \
CreatedDate:moment CurrentTerm:number InitialTerm:number IsInvoiceSeparate:yes Name Notes OriginalCreatedDate:moment \
OriginalId:id PreviousSubscriptionId:id RenewalSetting RenewalTerm:number ServiceActivationDate:day Status \
SubscriptionEndDate:day SubscriptionStartDate:day TermEndDate:day TermStartDate:day TermType UpdatedById:id \
UpdatedDate:moment Version:number
Usage AccountId:id AccountNumber ChargeId:id ChargeNumber CreatedById:id CreatedDate:moment Description EndDateTime:moment \
ImportId:id InvoiceId:id InvoiceNumber Quantity:number RbeStatus SourceName SourceType StartDateTime:moment \
SubmissionDateTime:moment SubscriptionId:id SubscriptionNumber UOM UpdatedById:id UpdatedDate:moment
";

/// What cannot be deleted over SOAP (documented).
const KEPT: [&str; 6] = ["CreditMemo", "CreditMemoItem", "InvoiceItem", "Payment", "RatePlan", "Refund"];

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Id,
    Boolean,
    Number,
    Date,
    DateTime,
}

impl Kind {
    /// Reads a value as seeds and the interface write it. Nothing is an empty field.
    pub(super) fn read(self, text: &str) -> Option<Value> {
        if text.is_empty() {
            return Some(Value::Null);
        }
        match self {
            Self::Text | Self::Id => Some(Value::Text(text.to_owned())),
            Self::Boolean => text.parse().ok().map(Value::Boolean),
            Self::Number => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number),
            Self::Date => read_day(text).map(Value::Date),
            Self::DateTime => text.parse().ok().map(Value::DateTime),
        }
    }
}

/// An object and its fields.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub name: String,
    pub deletable: bool,
    /// In the order of the WSDL, without `Id`.
    pub fields: Vec<(String, Kind)>,
}

impl Object {
    /// The position of the field of this name, in any case.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(field, _)| field.eq_ignore_ascii_case(name))
    }
}

/// The objects that every tenant has.
pub(super) fn standard() -> Vec<Object> {
    STANDARD.trim().lines().filter_map(read).collect()
}

fn read(line: &str) -> Option<Object> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    let fields = words.map(|word| {
        let (field, kind) = word.split_once(':').unwrap_or((word, ""));
        let kind = match kind {
            "id" => Kind::Id,
            "yes" => Kind::Boolean,
            "number" => Kind::Number,
            "day" => Kind::Date,
            "moment" => Kind::DateTime,
            _ => Kind::Text,
        };
        (field.to_owned(), kind)
    });
    Some(Object { deletable: !KEPT.contains(&name.as_str()), fields: fields.collect(), name })
}
