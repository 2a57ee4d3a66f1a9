//! A broker with certificates of its own.

use std::path::PathBuf;
use std::process::Command;

use crate::own_broker::OwnBroker;

pub const PASSWORD: &str = "changeit-please";

pub struct Secured {
    broker: OwnBroker,
}

impl Secured {
    /// Makes certificates and starts the broker; none if there are no start scripts.
    pub fn start() -> Option<Secured> {
        let secured = Secured {
            broker: OwnBroker::reserve()?,
        };
        secured.certificates();
        secured.broker.start(&secured.properties());
        secured.users();
        Some(secured)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.broker.file(name)
    }

    pub fn sasl(&self) -> String {
        format!("127.0.0.1:{}", self.broker.ports[2])
    }

    pub fn mutual(&self) -> String {
        format!("127.0.0.1:{}", self.broker.ports[3])
    }

    /// As [`Secured::sasl`], with a certificate for another host.
    pub fn misnamed(&self) -> String {
        format!("127.0.0.1:{}", self.broker.ports[4])
    }

    fn certificates(&self) {
        let at = |name: &str| self.file(name).display().to_string();
        for authority in ["ca", "other-ca"] {
            let (key, certificate) = (at(&format!("{authority}.key")), at(&format!("{authority}.pem")));
            let subject = format!("/CN={authority}");
            run(
                "openssl",
                &[
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    &subject,
                    "-keyout",
                    &key,
                    "-out",
                    &certificate,
                ],
            );
        }
        for (name, alternative) in [
            ("broker", "IP:127.0.0.1"),
            ("misnamed", "DNS:elsewhere.test"),
            ("client", "DNS:client"),
        ] {
            let (key, request, certificate) = (
                at(&format!("{name}.key")),
                at(&format!("{name}.csr")),
                at(&format!("{name}.pem")),
            );
            let subject = format!("/CN={name}");
            run(
                "openssl",
                &[
                    "req", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout", &key, "-out", &request,
                ],
            );
            std::fs::write(self.file("extensions"), format!("subjectAltName={alternative}\n")).unwrap();
            run(
                "openssl",
                &[
                    "x509",
                    "-req",
                    "-days",
                    "2",
                    "-in",
                    &request,
                    "-CA",
                    &at("ca.pem"),
                    "-CAkey",
                    &at("ca.key"),
                    "-CAcreateserial",
                    "-extfile",
                    &at("extensions"),
                    "-out",
                    &certificate,
                ],
            );
            let store = at(&format!("{name}.p12"));
            let password = format!("pass:{PASSWORD}");
            run(
                "openssl",
                &[
                    "pkcs12",
                    "-export",
                    "-in",
                    &certificate,
                    "-inkey",
                    &key,
                    "-certfile",
                    &at("ca.pem"),
                    "-name",
                    name,
                    "-out",
                    &store,
                    "-passout",
                    &password,
                ],
            );
        }
        for (kind, store) in [("PKCS12", "trust.p12"), ("JKS", "trust.jks")] {
            run(
                "keytool",
                &[
                    "-importcert",
                    "-noprompt",
                    "-alias",
                    "ca",
                    "-file",
                    &at("ca.pem"),
                    "-keystore",
                    &at(store),
                    "-storetype",
                    kind,
                    "-storepass",
                    PASSWORD,
                ],
            );
        }
        run(
            "keytool",
            &[
                "-importkeystore",
                "-noprompt",
                "-srckeystore",
                &at("client.p12"),
                "-srcstoretype",
                "PKCS12",
                "-srcstorepass",
                PASSWORD,
                "-destkeystore",
                &at("client.jks"),
                "-deststoretype",
                "JKS",
                "-deststorepass",
                PASSWORD,
            ],
        );
    }

    fn properties(&self) -> String {
        let [plain, controller, sasl, mutual, misnamed] = self.broker.ports;
        let directory = self.file("").display().to_string();
        let directory = directory.trim_end_matches('/');
        let clients = format!(
            "PLAINTEXT://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},MUTUAL://127.0.0.1:{mutual},\
             MISNAMED://127.0.0.1:{misnamed}"
        );
        let mut text = format!(
            "listeners={clients},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners={clients}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL,\
             MISNAMED:SASL_SSL\n\
             ssl.truststore.location={directory}/trust.p12\n\
             ssl.truststore.type=PKCS12\n\
             ssl.truststore.password={PASSWORD}\n\
             ssl.keystore.type=PKCS12\n\
             ssl.keystore.password={PASSWORD}\n\
             ssl.key.password={PASSWORD}\n\
             ssl.keystore.location={directory}/broker.p12\n\
             listener.name.misnamed.ssl.keystore.location={directory}/misnamed.p12\n\
             listener.name.misnamed.ssl.keystore.type=PKCS12\n\
             listener.name.misnamed.ssl.keystore.password={PASSWORD}\n\
             listener.name.misnamed.ssl.key.password={PASSWORD}\n\
             listener.name.mutual.ssl.client.auth=required\n"
        );
        let security = "org.apache.kafka.common.security";
        for listener in ["sasl", "misnamed"] {
            let prefix = format!("listener.name.{listener}");
            text.push_str(&format!(
                "{prefix}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n\
                 {prefix}.plain.sasl.jaas.config={security}.plain.PlainLoginModule required user_alice=\"{PASSWORD}\";\n\
                 {prefix}.scram-sha-256.sasl.jaas.config={security}.scram.ScramLoginModule required;\n\
                 {prefix}.scram-sha-512.sasl.jaas.config={security}.scram.ScramLoginModule required;\n\
                 {prefix}.oauthbearer.sasl.jaas.config={security}.oauthbearer.OAuthBearerLoginModule required \
                 unsecuredLoginStringClaim_sub=\"broker\";\n"
            ));
        }
        text
    }

    fn users(&self) {
        let bootstrap = format!("127.0.0.1:{}", self.broker.ports[0]);
        // The broker takes one at a time.
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            self.broker.perform(&[
                "run",
                "kafka.admin.ConfigCommand",
                "--bootstrap-server",
                &bootstrap,
                "--alter",
                "--add-config",
                &format!("{mechanism}=[password={PASSWORD}]"),
                "--entity-type",
                "users",
                "--entity-name",
                "alice",
            ]);
        }
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
}
