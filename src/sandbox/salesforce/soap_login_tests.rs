//! SOAP `login()`: who gets in, and the words for who does not.

use http::Method;
use insta::assert_snapshot;

use super::testing::{Answer, Tester};
use crate::sandbox::PasswordLogin;

const USER: &str = "admin@sandbox.example";
const SECRET: &str = "sandbox-passwordsandboxToken";

async fn post(tester: &Tester, version: &str, body: String) -> Answer {
    let headers = [("soapaction", "login".to_owned()), ("content-type", "text/xml; charset=UTF-8".to_owned())];
    tester.raw(Method::POST, &format!("/services/Soap/u/{version}"), &headers, body).await
}

fn envelope(username: &str, password: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='utf-8'?><env:Envelope xmlns:env='http://schemas.xmlsoap.org/soap/envelope/'><env:Body>\
         <n1:login xmlns:n1='urn:partner.soap.sforce.com'><n1:username>{username}</n1:username><n1:password>{password}</n1:password>\
         </n1:login></env:Body></env:Envelope>"
    )
}

async fn log_in(tester: &Tester, username: &str, password: &str) -> Answer {
    post(tester, "64.0", envelope(username, password)).await
}

/// The text of the first element of that name.
fn text_of(answer: &Answer, name: &str) -> String {
    let rest = answer.text.split(&format!("<{name}>")).nth(1).unwrap_or_default();
    rest.split('<').next().unwrap_or_default().to_owned()
}

fn change(tester: &Tester, settle: impl FnOnce(&mut PasswordLogin)) {
    let mut world = tester.sandbox.world();
    let user = world.first_user();
    let mut login = world.password_login(user).expect("a login").clone();
    settle(&mut login);
    world.set_password_login(user, login);
}

#[tokio::test(start_paused = true)]
async fn opens_a_session_for_the_right_password_and_token() {
    let tester = Tester::new();
    let answer = log_in(&tester, USER, SECRET).await;
    let session = text_of(&answer, "sessionId");
    assert_snapshot!(answer.shown().replace(&session, "SESSION"), @r#"200 <?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><soapenv:Body><loginResponse><result><metadataServerUrl>http://sandbox.test/services/Soap/m/64.0/00DS00000000001</metadataServerUrl><passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>http://sandbox.test/services/Soap/u/64.0/00DS00000000001</serverUrl><sessionId>SESSION</sessionId><userId>005S00000000001IAA</userId><userInfo><accessibilityMode>false</accessibilityMode><chatterExternal>false</chatterExternal><currencySymbol>$</currencySymbol><orgAttachmentFileSizeLimit>5242880</orgAttachmentFileSizeLimit><orgDefaultCurrencyIsoCode>USD</orgDefaultCurrencyIsoCode><orgDefaultCurrencyLocale>en_US</orgDefaultCurrencyLocale><orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments><orgHasPersonAccounts>false</orgHasPersonAccounts><organizationId>00DS00000000001MAA</organizationId><organizationMultiCurrency>false</organizationMultiCurrency><organizationName>Sandbox Industries</organizationName><profileId>00eS00000000001AAA</profileId><roleId></roleId><sessionSecondsValid>600</sessionSecondsValid><userDefaultCurrencyIsoCode></userDefaultCurrencyIsoCode><userEmail>admin@sandbox.example</userEmail><userFullName>Sandbox Administrator</userFullName><userId>005S00000000001IAA</userId><userLanguage>en_US</userLanguage><userLocale>en_US</userLocale><userName>admin@sandbox.example</userName><userTimeZone>GMT</userTimeZone><userType>Standard</userType><userUiSkin>Theme3</userUiSkin></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"#);
    let headers = [("authorization", format!("Bearer {session}"))];
    assert_eq!(tester.raw(Method::GET, "/services/data/v66.0/limits", &headers, "").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn refusals_have_codes_of_their_own() {
    let tester = Tester::new();
    let mut refused = vec![
        log_in(&tester, USER, "wrong").await,
        log_in(&tester, "nobody@sandbox.example", SECRET).await,
        log_in(&tester, USER, "sandbox-password").await,
        log_in(&tester, USER, "sandbox-passwordwrong").await,
        post(&tester, "65.0", envelope(USER, SECRET)).await,
        post(&tester, "30.0", envelope(USER, SECRET)).await,
        post(&tester, "64.0", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_owned()).await,
        post(&tester, "64.0", format!("<a>{}</a>", "x".repeat(10 * 1024))).await,
        post(&tester, "64.0", envelope(USER, SECRET).replace("login", "undelete")).await,
        tester
            .raw(Method::POST, "/services/Soap/u/64.0", &[("content-type", "text/xml".into())], envelope(USER, SECRET))
            .await,
    ];
    change(&tester, |login| login.locked_out = true);
    refused.push(log_in(&tester, USER, SECRET).await);
    let closed = Tester::with(|settings| settings.soap_login = false);
    refused.push(log_in(&closed, USER, SECRET).await);
    assert!(refused.iter().all(|answer| answer.status == 500));
    let shown: Vec<String> = refused
        .iter()
        .map(|answer| format!("{} | {}", text_of(answer, "faultcode"), text_of(answer, "faultstring")))
        .collect();
    assert_snapshot!(shown.join("\n"), @"
    sf:INVALID_LOGIN | INVALID_LOGIN: Invalid username, password, security token; or user locked out.
    sf:INVALID_LOGIN | INVALID_LOGIN: Invalid username, password, security token; or user locked out.
    sf:LOGIN_MUST_USE_SECURITY_TOKEN | LOGIN_MUST_USE_SECURITY_TOKEN: Invalid username, password, security token; or user locked out. Are you at a new location? When accessing Salesforce--either via a desktop client or the API--from outside of your company’s trusted networks, you must add a security token to your password to log in.
    sf:LOGIN_MUST_USE_SECURITY_TOKEN | LOGIN_MUST_USE_SECURITY_TOKEN: Invalid username, password, security token; or user locked out. Are you at a new location? When accessing Salesforce--either via a desktop client or the API--from outside of your company’s trusted networks, you must add a security token to your password to log in.
    soapenv:Client | No operation available for request {urn:partner.soap.sforce.com}login, please check the WSDL for the service.
    sf:UNSUPPORTED_API_VERSION | UNSUPPORTED_API_VERSION: Invalid Api version specified on URL
    soapenv:Client | XML with DTD detected
    soapenv:Client | The request is larger than 10240 bytes
    soapenv:Client | The sandbox does not serve the SOAP call undelete, only login: this is a gap of the sandbox, not a mistake of the request.
    soapenv:Client | SOAPAction HTTP header missing
    sf:PASSWORD_LOCKOUT | PASSWORD_LOCKOUT: Your login attempts have exceeded the limit; the user is locked out
    sf:INVALID_OPERATION | INVALID_OPERATION: SOAP API login() is disabled by default in this org.
    ");
    assert_snapshot!(refused[0].text, @r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username, password, security token; or user locked out.</faultstring><detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>Invalid username, password, security token; or user locked out.</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#);
}

#[tokio::test(start_paused = true)]
async fn an_expired_password_opens_a_session_that_is_good_for_nothing() {
    let tester = Tester::new();
    change(&tester, |login| login.expired = true);
    let answer = log_in(&tester, USER, SECRET).await;
    assert_eq!((answer.status, text_of(&answer, "passwordExpired")), (200, "true".to_owned()));
    let headers = [("authorization", format!("Bearer {}", text_of(&answer, "sessionId")))];
    let used = tester.raw(Method::GET, "/services/data/v66.0/limits", &headers, "").await;
    assert!(
        used.shown().starts_with("403 ") && used.text.contains("INVALID_OPERATION_WITH_EXPIRED_PASSWORD"),
        "{}",
        used.text
    );
    // A session that somebody else opened for the same user is not touched.
    assert_eq!(tester.get("/limits").await.status, 200);
}
