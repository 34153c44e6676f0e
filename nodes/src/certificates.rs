//! A certificate authority for one server of one test, made by the program `openssl`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{StartError, missing::find, process};

/// The authority's certificate, which clients are to trust, and the server's for 127.0.0.1 and `localhost`.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

const CONFIGURATION: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
";

impl Certificates {
    /// Makes them, as files in this folder.
    pub(crate) fn make(folder: &Path) -> Result<Self, StartError> {
        let openssl = find("openssl", "openssl")?;
        fs::create_dir_all(folder)?;
        fs::write(folder.join("openssl.cnf"), CONFIGURATION)?;
        let request = "req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        for rest in [
            "-extensions authority -subj /CN=Tests -keyout authority.key -out authority.pem",
            "-extensions server -CA authority.pem -CAkey authority.key -keyout server.key -out server.pem",
        ] {
            let mut command = Command::new(&openssl);
            command.args(request.split(' ')).args(rest.split(' '));
            command.current_dir(folder);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped());
            let output = process::spawn(command)?.wait_with_output()?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(StartError::Failed(format!("openssl: {said}")));
            }
        }
        Ok(Self {
            authority: folder.join("authority.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::folder;

    #[test]
    fn the_servers_is_signed_by_the_authority() {
        let folder = folder::temporary().unwrap();
        let files = match Certificates::make(folder.path()) {
            Ok(files) => files,
            Err(error) => return error.skip(),
        };
        let verify = |authority: &Path| {
            let mut command = Command::new("openssl");
            command.args(["verify", "-x509_strict", "-verify_ip", "127.0.0.1"]);
            command.arg("-CAfile").arg(authority);
            command.arg(&files.certificate).output().unwrap().status
        };
        assert!(verify(&files.authority).success());
        let other = Certificates::make(&folder.path().join("other")).unwrap();
        assert!(!verify(&other.authority).success());
    }
}
