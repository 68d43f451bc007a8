//! The service as a client sees it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use insta::assert_snapshot;
use jiff::SignedDuration;
use tower::ServiceExt;

use super::{CallLimit, Tenant, ZuoraSettings};
use crate::sandbox::{DroppedConnection, Effect, Fault, Sandbox, Settings, World};

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

struct Client {
    sandbox: Sandbox,
    session: String,
    soap: &'static str,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    /// Status and body, for comparisons.
    fn shown(&self) -> String {
        format!("{} {}", self.status, self.text)
    }

    /// The texts of all elements of this name.
    fn all(&self, name: &str) -> Vec<&str> {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        self.text.split(&start).skip(1).filter_map(|rest| rest.split(&end).next()).collect()
    }
}

impl Client {
    async fn new() -> Self {
        Self::with(ZuoraSettings::default()).await
    }

    async fn with(zuora: ZuoraSettings) -> Self {
        let start = "2026-11-21T10:00:00Z".parse().expect("valid");
        let world = World::builder().start(start).build().expect("consistent");
        let sandbox = Sandbox::new(world, Settings { zuora, ..Settings::starting_at(start) });
        let mut client = Self { sandbox, session: String::new(), soap: SOAP_11 };
        let answer = client.call(&login(Tenant::PASSWORD)).await;
        client.session = between(&answer.text, "<ns1:Session>", "</ns1:Session>").to_owned();
        client
    }

    /// Sends the one element of a body.
    async fn call(&self, body: &str) -> Answer {
        let header = format!("<z:SessionHeader><z:session>{}</z:session></z:SessionHeader>", self.session);
        self.send(&header, body).await
    }

    async fn send(&self, header: &str, body: &str) -> Answer {
        let (soap, namespace) = (self.soap, "http://api.zuora.com/");
        let text = format!(
            "<e:Envelope xmlns:e='{soap}' xmlns:z='{namespace}'><e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
        );
        self.post("/apps/services/a/78.0", text).await
    }

    async fn post(&self, path: &str, text: String) -> Answer {
        let request = Request::post(path).header("host", "sandbox.test").header("content-type", "text/xml");
        let response =
            self.sandbox.router().oneshot(request.body(Body::from(text)).expect("valid")).await.expect("infallible");
        if response.extensions().get::<DroppedConnection>().is_some() {
            return Answer { status: 0, headers: HeaderMap::new(), text: "dropped".to_owned() };
        }
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.expect("whole").to_vec()).expect("text");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn query(&self, query: &str) -> Answer {
        self.call(&format!("<z:query><z:queryString>{query}</z:queryString></z:query>")).await
    }

    async fn delete(&self, kind: &str, ids: &[&str]) -> Answer {
        let ids: String = ids.iter().map(|id| format!("<z:ids>{id}</z:ids>")).collect();
        self.call(&format!("<z:delete><z:type>{kind}</z:type>{ids}</z:delete>")).await
    }

    /// What came of each row: `true`, or the code.
    async fn rows(&self, kind: &str, ids: &[&str]) -> Vec<String> {
        let answer = self.delete(kind, ids).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let results = answer.text.split("<ns1:result>").skip(1);
        let shown = results.map(|row| match row.contains("<ns1:success>true") {
            true => "true",
            false => between(row, "<ns1:Code>", "</ns1:Code>"),
        });
        shown.map(str::to_owned).collect()
    }

    fn add(&self, object: &str, fields: &[(&str, &str)]) -> String {
        self.sandbox.zuora().insert(object, fields.iter().copied()).expect("known fields")
    }
}

fn login(password: &str) -> String {
    format!("<z:login><z:username>{}</z:username><z:password>{password}</z:password></z:login>", Tenant::USERNAME)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split(start).nth(1).and_then(|rest| rest.split(end).next()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn logs_in_and_says_where_to_go() {
    let client = Client::new().await;
    assert_eq!(client.session.len(), 256);
    let answer = client.call(&login(Tenant::PASSWORD)).await;
    assert_eq!(between(&answer.text, "<ns1:ServerUrl>", "<"), "http://sandbox.test/apps/services/a/78.0");
    assert_eq!(answer.headers["content-type"], "text/xml;charset=UTF-8");
    let info = client.call("<z:getUserInfo/>").await;
    assert_eq!(info.all("ns1:TenantId"), ["12001"]);
}

#[tokio::test(start_paused = true)]
async fn refuses_logins_in_the_recorded_words() {
    let mut client = Client::new().await;
    assert_snapshot!(client.call(&login("wrong")).await.shown(), @r#"500 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault xmlns:fns="http://fault.api.zuora.com/"><faultcode>fns:INVALID_VALUE</faultcode><faultstring>Invalid login. User name and password do not match.</faultstring><detail><fns:LoginFault><fns:FaultCode>INVALID_VALUE</fns:FaultCode><fns:FaultMessage>Invalid login. User name and password do not match.</fns:FaultMessage></fns:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#);
    client.soap = SOAP_12;
    assert_snapshot!(client.call(&login("wrong")).await.shown(), @r#"500 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://www.w3.org/2003/05/soap-envelope"><soapenv:Body><soapenv:Fault xmlns:fns="http://fault.api.zuora.com/"><soapenv:Code><soapenv:Value>fns:INVALID_VALUE</soapenv:Value></soapenv:Code><soapenv:Reason><soapenv:Text xml:lang="en-US">Invalid login. User name and password do not match.</soapenv:Text></soapenv:Reason><soapenv:Detail><fns:LoginFault><fns:FaultCode>INVALID_VALUE</fns:FaultCode><fns:FaultMessage>Invalid login. User name and password do not match.</fns:FaultMessage></fns:LoginFault></soapenv:Detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#);
    let turned = "<z:login><z:password>a</z:password><z:username>b</z:username></z:login>";
    assert_snapshot!(client.call(turned).await.shown(), @r#"500 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://www.w3.org/2003/05/soap-envelope"><soapenv:Body><soapenv:Fault xmlns:fns="http://fault.api.zuora.com/"><soapenv:Code><soapenv:Value>soapenv:Receiver</soapenv:Value></soapenv:Code><soapenv:Reason><soapenv:Text xml:lang="en-US">Unexpected subelement password</soapenv:Text></soapenv:Reason><soapenv:Detail></soapenv:Detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_and_has_its_own_code() {
    let client = Client::new().await;
    let code = async |client: &Client| client.call("<z:getUserInfo/>").await.all("fns:FaultCode").join(",");
    client.sandbox.clock().advance(Duration::from_secs(899));
    assert_eq!(code(&client).await, "");
    client.sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(code(&client).await, "INVALID_SESSION", "using it did not renew it");
    let client = Client::new().await;
    client.sandbox.add_fault(Fault::on_operation("query", Effect::ExpireSession).times(1));
    assert_eq!(code(&client).await, "");
    assert_eq!(client.query("select Id from Usage").await.status, 500);
    assert_eq!(code(&client).await, "INVALID_SESSION");
    let bare = client.send("", "<z:getUserInfo/>").await;
    assert_eq!((bare.status, bare.all("fns:FaultCode")), (500, vec!["INVALID_SESSION"]));
}

#[tokio::test(start_paused = true)]
async fn finds_the_session_however_its_header_is_written() {
    let client = Client::new().await;
    for header in [
        format!("<SessionHeader><session>{}</session></SessionHeader>", client.session),
        format!("<e:SessionHeader><z:Session>\n{}\n</z:Session></e:SessionHeader>", client.session),
    ] {
        assert_eq!(client.send(&header, "<z:getUserInfo/>").await.status, 200, "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_answered_byte_for_byte_as_recorded() {
    let client = Client::new().await;
    let usage = client.add("Usage", &[("Quantity", "1")]);
    let answer = client.delete("Usage", &[&usage]).await;
    assert_eq!(answer.text.len(), 342, "the length of the recorded body");
    assert_snapshot!(answer.shown(), @r#"200 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><ns1:deleteResponse xmlns:ns1="http://api.zuora.com/"><ns1:result><ns1:id>2c92c0f9000000000000000000000001</ns1:id><ns1:success>true</ns1:success></ns1:result></ns1:deleteResponse></soapenv:Body></soapenv:Envelope>"#);
    assert!(!client.sandbox.zuora().exists(&usage));
    assert_snapshot!(client.delete("Usage", &[&usage]).await.shown(), @r#"200 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><ns1:deleteResponse xmlns:ns1="http://api.zuora.com/"><ns1:result><ns1:errors><ns1:Code>INVALID_VALUE</ns1:Code><ns1:Message>invalid id for Usage: 2c92c0f9000000000000000000000001</ns1:Message></ns1:errors><ns1:success>false</ns1:success></ns1:result></ns1:deleteResponse></soapenv:Body></soapenv:Envelope>"#);
}

#[tokio::test(start_paused = true)]
async fn each_row_stands_for_itself_and_says_which_by_its_place() {
    let client = Client::new().await;
    let usages: Vec<String> = (0..4).map(|_| client.add("Usage", &[])).collect();
    let invoiced = client.add("Usage", &[("InvoiceId", "2c92c0f8000000000000000000000009")]);
    let account = client.add("Account", &[("Name", "A & B <C>")]);
    client.sandbox.zuora().refuse(&usages[2], "TRANSACTION_TIMEOUT", "later", Some(1));
    let ids = [&usages[0], &invoiced, &account, &usages[1], &usages[1], &usages[2], &usages[3]].map(String::as_str);
    let rows = client.rows("Usage", &ids).await;
    assert_eq!(rows, ["true", "CANNOT_DELETE", "INVALID_VALUE", "true", "INVALID_VALUE", "TRANSACTION_TIMEOUT", "true"]);
    assert_eq!(client.rows("Usage", &[&usages[2]]).await, ["true"]);
    assert!(client.sandbox.zuora().exists(&account));
}

#[tokio::test(start_paused = true)]
async fn some_calls_fail_as_a_whole_and_delete_nothing() {
    let client = Client::new().await;
    let usage = client.add("Usage", &[]);
    let fault = async |kind: &str, ids: &[&str]| {
        let answer = client.delete(kind, ids).await;
        format!("{} {}", answer.status, between(&answer.text, "<faultcode>", "</faultcode>"))
    };
    let many = vec![usage.as_str(); 51];
    assert_eq!(fault("Usage", &many).await, "500 fns:MAX_RECORDS_EXCEEDED");
    assert_eq!(fault("usage", &[&usage]).await, "500 fns:INVALID_TYPE");
    assert_eq!(fault("Payment", &[]).await, "500 fns:INVALID_TYPE");
    assert_eq!(fault("Usage", &[&usage, "abc"]).await, "500 soapenv:Server");
    assert_eq!(fault("Usage", &[&usage, ""]).await, "500 soapenv:Server");
    assert_eq!(fault("Usage", &[]).await, "200 ");
    let turned = format!("<z:delete><z:ids>{usage}</z:ids><z:type>Usage</z:type></z:delete>");
    assert!(client.call(&turned).await.text.contains("Unexpected subelement ids"));
    let foreign = format!("<delete xmlns='urn:other'><type>Usage</type><ids>{usage}</ids></delete>");
    assert_eq!(client.call(&foreign).await.status, 500);
    assert!(client.sandbox.zuora().exists(&usage));
}

#[tokio::test(start_paused = true)]
async fn the_state_of_a_record_can_forbid_its_deletion() {
    let client = Client::new().await;
    let method = client.add("PaymentMethod", &[]);
    let other = client.add("PaymentMethod", &[]);
    let account = client.add("Account", &[("DefaultPaymentMethodId", &method)]);
    let posted = client.add("Invoice", &[("Status", "Posted"), ("AccountId", &account)]);
    let draft = client.add("Invoice", &[("Status", "Draft")]);
    let old = client.add("Subscription", &[("AccountId", &account)]);
    let new = client.add("Subscription", &[("PreviousSubscriptionId", &old)]);
    let plan = client.add("RatePlan", &[("SubscriptionId", &old)]);
    assert_eq!(client.rows("PaymentMethod", &[&method, &other]).await, ["CANNOT_DELETE", "true"]);
    assert_eq!(client.rows("Invoice", &[&posted, &draft]).await, ["CANNOT_DELETE", "true"]);
    assert_eq!(client.rows("Subscription", &[&old, &new]).await, ["CANNOT_DELETE", "true"]);
    assert_eq!(client.rows("Account", &[&account]).await, ["true"]);
    // Accepted at once, done later, and then with everything that belonged to it.
    let status = async || client.query("select Status from Account").await.all("ns2:Status").join(",");
    assert!(!client.sandbox.zuora().exists(&account) && client.sandbox.zuora().exists(&posted));
    assert_eq!(status().await, "");
    client.sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!(status().await, "Canceled");
    assert!([&posted, &old, &plan].iter().all(|id| !client.sandbox.zuora().exists(id)));
    assert_eq!(client.rows("Account", &[&account]).await, ["INVALID_VALUE"]);
}

#[tokio::test(start_paused = true)]
async fn pages_have_a_locator_and_the_whole_size() {
    let mut client = Client::new().await;
    client.sandbox.zuora().generate("Usage", 4_500, 1).expect("known");
    let first = client.query("select Id from usage").await;
    assert_eq!((first.all("ns2:Id").len(), first.all("ns1:size")), (2_000, vec!["4500"]));
    let locator = first.all("ns1:queryLocator")[0].to_owned();
    assert!(locator.len() == 37 && locator.ends_with("-2000"), "{locator}");
    // What is deleted meanwhile does not shift the pages.
    let gone = first.all("ns2:Id")[0].to_owned();
    assert_eq!(client.rows("Usage", &[&gone]).await, ["true"]);
    let more = |locator: &str| format!("<z:queryMore><z:queryLocator>{locator}</z:queryLocator></z:queryMore>");
    let second = client.call(&more(&locator)).await;
    let third = client.call(&more(second.all("ns1:queryLocator")[0])).await;
    assert_eq!((third.all("ns2:Id").len(), third.all("ns1:size"), third.all("ns1:done")), (500, vec!["4500"], vec!["true"]));
    assert!(
        third.text.contains(r#"<ns1:queryLocator xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="1" />"#)
    );
    assert_eq!(client.call(&more(&locator.replace("2000", "1050"))).await.status, 200, "any offset will do");
    let refused = |answer: &Answer| between(&answer.text, "<detail><", ">").to_owned();
    for wrong in ["", "abc", "-1", &locator.replace("2000", "4500"), &locator.replace("-2000", "-x")] {
        assert_eq!(refused(&client.call(&more(wrong)).await), "fns:InvalidQueryLocatorFault", "{wrong}");
    }
    client.sandbox.clock().advance(Duration::from_secs(899));
    let renewed = client.call(&login(Tenant::PASSWORD)).await;
    client.session = renewed.all("ns1:Session")[0].to_owned();
    assert_eq!(client.call(&more(&locator)).await.status, 200);
    client.sandbox.clock().advance(Duration::from_secs(900));
    client.session = client.sandbox.zuora().sessions.open(client.sandbox.now());
    assert_eq!(refused(&client.call(&more(&locator)).await), "fns:InvalidQueryLocatorFault");
}

#[tokio::test(start_paused = true)]
async fn records_are_typed_and_in_the_order_of_the_wsdl() {
    let client = Client::new().await;
    client.add(
        "Usage",
        &[("UOM", "GB"), ("Quantity", "12.50"), ("StartDateTime", "2011-12-29T01:23:27Z"), ("Description", "a < b & c")],
    );
    assert_snapshot!(
        client.query("select uom, Description, Id, Quantity, StartDateTime, EndDateTime from USAGE where Quantity &gt; 12;").await.shown(),
        @r#"200 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><ns1:queryResponse xmlns:ns1="http://api.zuora.com/"><ns1:result><ns1:done>true</ns1:done><ns1:queryLocator xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="1" /><ns1:records xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="ns2:Usage" xmlns:ns2="http://object.api.zuora.com/"><ns2:Id>2c92c0f9000000000000000000000001</ns2:Id><ns2:Description>a &lt; b &amp; c</ns2:Description><ns2:Quantity>12.5</ns2:Quantity><ns2:StartDateTime>2011-12-28T17:23:27.000-08:00</ns2:StartDateTime><ns2:UOM>GB</ns2:UOM></ns1:records><ns1:size>1</ns1:size></ns1:result></ns1:queryResponse></soapenv:Body></soapenv:Envelope>"#
    );
    // Nobody knows what a real tenant makes of this; the worst is shown.
    assert!(client.query("select Id from Usage where Quantity != 'abc'").await.shown().contains("<ns1:size>1</ns1:size>"));
    assert_snapshot!(client.query("select Id from Usage where Quantity = 1").await.shown(), @r#"200 <?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><ns1:queryResponse xmlns:ns1="http://api.zuora.com/"><ns1:result><ns1:done>true</ns1:done><ns1:queryLocator xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="1" /><ns1:records xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="1" /><ns1:size>0</ns1:size></ns1:result></ns1:queryResponse></soapenv:Body></soapenv:Envelope>"#);
    let small = "<z:QueryOptions><z:batchSize>1</z:batchSize></z:QueryOptions>";
    client.add("Usage", &[]);
    let header = format!("<z:SessionHeader><z:session>{}</z:session></z:SessionHeader>{small}", client.session);
    let page = client.send(&header, "<z:query><z:queryString>select Id from Usage</z:queryString></z:query>").await;
    assert_eq!((page.all("ns2:Id").len(), page.all("ns1:size")), (1, vec!["2"]));
}

#[tokio::test(start_paused = true)]
async fn wrong_queries_have_their_own_codes() {
    let client = Client::new().await;
    let code = async |query: &str| {
        let answer = client.query(query).await;
        assert_eq!((answer.status, between(&answer.text, "<detail><", ">")), (500, "fns:MalformedQueryFault"));
        answer.all("fns:FaultCode").join(",")
    };
    assert_eq!(code("select * from accountsX").await, "MALFORMED_QUERY");
    assert_eq!(code("select Id from Usage order by Id").await, "MALFORMED_QUERY");
    assert_eq!(code("select Id from BillRun").await, "INVALID_TYPE");
    assert_eq!(code("select Id, Nothing from Usage").await, "INVALID_FIELD");
    assert_eq!(code("select Id from Usage where Nothing = 1").await, "INVALID_FIELD");
    assert_eq!(code("select Id from Invoice where DueDate = '2026-01-31T00:00:00'").await, "INVALID_VALUE");
    assert_eq!(code("select Id from Usage where StartDateTime = '2026-01-31'").await, "INVALID_VALUE");
    assert_eq!(code("select Id from Account where AutoPay &gt;= false").await, "MALFORMED_QUERY");
    assert_eq!(code("select Id from Usage where Quantity like '1%'").await, "MALFORMED_QUERY");
    client.add("RatePlan", &[("AmendmentType", "RemoveProduct")]);
    assert_eq!(client.query("select Id from RatePlan").await.all("ns1:size"), ["0"]);
}

#[tokio::test(start_paused = true)]
async fn the_stack_refuses_what_is_no_soap() {
    let client = Client::new().await;
    let refused = async |path: &str, text: &str| {
        let answer = client.post(path, text.to_owned()).await;
        format!("{} {}", answer.status, between(&answer.text, "<faultstring>", "<"))
    };
    let path = "/apps/services/a/78.0";
    assert!(refused(path, "").await.starts_with("500 "));
    assert_eq!(refused(path, "<a/>").await, "500 First Element must contain the local name, Envelope");
    let bomb = "<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>";
    assert_eq!(refused(path, bomb).await, "500 XML with DTD detected");
    let empty = format!("<e:Envelope xmlns:e='{SOAP_11}'><e:Body/></e:Envelope>");
    assert_eq!(refused(path, &empty).await, "500 The SOAP body is empty");
    let other =
        format!("<e:Envelope xmlns:e='{SOAP_11}'><e:Body><subscribe xmlns='http://api.zuora.com/'/></e:Body></e:Envelope>");
    assert!(refused(path, &other).await.starts_with("500 The sandbox does not serve the SOAP call subscribe"));
    let foreign = other.replace("http://api.zuora.com/", "urn:x");
    assert!(refused(path, &foreign).await.starts_with("500 The endpoint reference"));
    for version in ["78", "78.1", "154.0", "x"] {
        assert_eq!(refused(&format!("/apps/services/a/{version}"), &other).await, "500 invalid version", "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_strict_tenant_answers_so_many_calls_in_ten_minutes() {
    let client = Client::with(ZuoraSettings { calls: vec![CallLimit::in_ten_minutes(3)], ..ZuoraSettings::default() }).await;
    let statuses = [
        client.call("<z:getUserInfo/>").await.status,
        client.call("<z:getUserInfo/>").await.status,
        client.call("<z:getUserInfo/>").await.status,
    ];
    assert_eq!(statuses, [200, 200, 429], "the login counts");
    let refused = client.call("<z:getUserInfo/>").await;
    assert_eq!(refused.headers["ratelimit-reset"], "600");
    assert_snapshot!(refused.text, @r#"{"reasons":[{"code":70,"message":"API Rate limit exceeded for the minute, retry after 600 seconds"}]}"#);
    assert_eq!(client.sandbox.zuora().calls_refused(), 2);
    client.sandbox.clock().advance(Duration::from_secs(600));
    assert_eq!(client.call("<z:getUserInfo/>").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn faults_hit_operations() {
    let client = Client::new().await;
    let usage = client.add("Usage", &[]);
    let fault = |effect| Fault::on_operation("delete", effect).times(1);
    client.sandbox.add_fault(fault(Effect::ConcurrentLimit));
    let answer = client.delete("Usage", &[&usage]).await;
    assert_eq!(
        (answer.status, answer.headers["retry-after"].as_bytes(), answer.all("fns:FaultCode")),
        (429, b"120".as_slice(), vec!["REQUEST_EXCEEDED_LIMIT"])
    );
    client.sandbox.add_fault(fault(Effect::TooManyRequests { retry_after: Some(30) }));
    let answer = client.delete("Usage", &[&usage]).await;
    assert_eq!(["ratelimit-reset", "retry-after"].map(|name| answer.headers[name].as_bytes()), [b"30", b"30"]);
    let (code, message) = ("REQUEST_EXCEEDED_RATE".to_owned(), "slower".to_owned());
    client.sandbox.add_fault(fault(Effect::SoapFault { status: 200, code, message }));
    let answer = client.delete("Usage", &[&usage]).await;
    assert_eq!((answer.status, answer.all("faultcode")), (200, vec!["fns:REQUEST_EXCEEDED_RATE"]));
    client.sandbox.add_fault(fault(Effect::LockRows { chunk: 1 }));
    assert_eq!(client.rows("Usage", &[&usage]).await, ["LOCK_COMPETITION"]);
    client.sandbox.add_fault(fault(Effect::Unavailable { retry_after: None }));
    assert!(client.delete("Usage", &[&usage]).await.shown().starts_with("503 <html>"));
    client.sandbox.add_fault(fault(Effect::DropBefore));
    assert_eq!(client.delete("Usage", &[&usage]).await.text, "dropped");
    assert!(client.sandbox.zuora().exists(&usage));
    client.sandbox.add_fault(fault(Effect::DropAfter));
    assert_eq!(client.delete("Usage", &[&usage]).await.text, "dropped");
    assert!(!client.sandbox.zuora().exists(&usage));
    client.sandbox.zuora().generate("Usage", 5, 1).expect("known");
    client.sandbox.add_fault(Fault::on_operation("query", Effect::WrongTotal { by: 1 }).nth(1));
    client.sandbox.add_fault(Fault::on_operation("query", Effect::ShortPage { rows: 2 }).nth(2));
    let shown = async || {
        let answer = client.query("select Id from Usage").await;
        (answer.all("ns2:Id").len(), answer.all("ns1:size")[0].to_owned())
    };
    assert_eq!([shown().await, shown().await], [(5, "6".to_owned()), (3, "5".to_owned())]);
    let record = client.sandbox.requests().pop().expect("asked");
    assert_eq!((record.path.as_str(), record.operation.as_deref()), ("/apps/services/a/78.0", Some("query")));
}

#[test]
fn the_same_seed_makes_the_same_records() {
    let start = "2026-11-21T10:00:00Z".parse().expect("valid");
    let make = |seed| {
        let mut tenant = Tenant::starting_at(start);
        tenant.generate("Account", 3, seed).expect("known");
        tenant.generate("Subscription", 5, seed).expect("known");
        tenant.generate("Usage", 20, seed).expect("known");
        tenant
    };
    let shown = |tenant: &Tenant| format!("{:?}", tenant.tables);
    assert_eq!(shown(&make(1)), shown(&make(1)));
    assert_ne!(shown(&make(1)), shown(&make(2)));
    let tenant = make(1);
    for usage in tenant.ids("Usage") {
        let value = |id: &str, field| tenant.value(id, field).expect("known");
        assert_eq!(value(usage, "AccountId"), value(&value(usage, "SubscriptionId"), "AccountId"));
        assert!(value(usage, "CreatedDate") < tenant_moment(start + SignedDuration::from_secs(1)));
    }
    assert!(tenant.ids("Invoice").next().is_none() && tenant.count("Usage") == 20);
    let refusal = |result: Result<String, super::TenantError>| result.expect_err("refused").to_string();
    let mut tenant = make(1);
    assert_eq!(refusal(tenant.insert("Nothing", [])), "there is no object `Nothing`");
    assert_eq!(refusal(tenant.insert("Usage", [("Nothing", "")])), "`Usage` has no field `Nothing`");
    assert!(refusal(tenant.insert("Usage", [("Id", "ABC")])).contains("hexadecimal"));
    assert_eq!(refusal(tenant.insert("Usage", [("Quantity", "many")])), "the value of `Quantity` cannot be used");
}

fn tenant_moment(moment: jiff::Timestamp) -> String {
    super::tenant::written(&super::evaluate::Value::DateTime(moment))
}
