//! One change to a call that passes, and the calls that it is made to.

use crate::Scene;
use crate::support::Result;
use crate::support::authz::Ask;
use crate::way::{Role, Slot, Target};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use serde_json::{Map, Value};
use std::fmt;
use stepgate::mint::{SigningKey, sign_verbatim};

/// Of what kind a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A token as it is written.
    Letters,
    /// What a token says, signed by its own key.
    Claims,
    /// A token that somebody else signed, or nobody.
    Forgeries,
    /// The headers that hold tokens, and others beside them.
    Headers,
    /// Parts of several calls in one.
    Mixed,
    /// What is called, and with which certificate.
    Targets,
}

pub(crate) struct Change {
    pub(crate) kind: Kind,
    /// What is changed and into what, the same for every way.
    pub(crate) what: String,
    pub(crate) edit: Edit,
}

pub(crate) type Rewrite = Box<dyn Fn(&Draft<'_>) -> Result<String> + Send + Sync>;
pub(crate) type Alter = Box<dyn Fn(&mut Call, &Scene) -> Result<()> + Send + Sync>;
pub(crate) type OnWire = Box<dyn Fn(&mut HttpRequest) + Send + Sync>;

pub(crate) enum Edit {
    /// Of a token, before anything that speaks of it is made.
    Token(Role, Rewrite),
    /// Of the finished call, which others may have on its way.
    Call(Alter),
    /// Of what Envoy makes of it.
    Wire(OnWire),
}

/// A token before it is signed, and the key that signs it.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'k> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) key: &'k SigningKey,
}

/// A call in the parts that can be changed.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) shown: Vec<Shown>,
    pub(crate) certificate: Option<String>,
    /// Whether duplicates of headers stay apart.
    pub(crate) apart: bool,
}

/// A header of a call, and what its token is for.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) role: Option<Role>,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Change {
    pub(crate) fn token(kind: Kind, role: Role, what: impl fmt::Display, rewrite: Rewrite) -> Self {
        Self { kind, what: format!("{} {what}", role.name()), edit: Edit::Token(role, rewrite) }
    }

    pub(crate) fn call(
        kind: Kind,
        what: impl fmt::Display,
        alter: impl Fn(&mut Call, &Scene) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { kind, what: what.to_string(), edit: Edit::Call(Box::new(alter)) }
    }

    /// The changed call, as Envoy tells of it.
    pub(crate) fn made(&self, scene: &Scene, source: &str) -> Result<CheckRequest> {
        let actor = &scene.actor;
        let mut call = actor.call(&actor.target(), Some(&self.edit))?;
        self.alter(&mut call, scene)?;
        Ok(self.told(&call, source))
    }

    /// The change to a call that is finished already.
    pub(crate) fn alter(&self, call: &mut Call, scene: &Scene) -> Result<()> {
        if let Edit::Call(alter) = &self.edit { alter(call, scene) } else { Ok(()) }
    }

    pub(crate) fn told(&self, call: &Call, source: &str) -> CheckRequest {
        let mut request = call.told(source);
        let http = request.attributes.as_mut().and_then(|attributes| attributes.request.as_mut()?.http.as_mut());
        if let (Edit::Wire(on_wire), Some(http)) = (&self.edit, http) {
            on_wire(http);
        }
        request
    }
}

impl<'k> Draft<'k> {
    pub(crate) fn new(header: Value, claims: Value, key: &'k SigningKey) -> Self {
        Self { header, claims, key }
    }

    pub(crate) fn sign(&self) -> Result<String> {
        self.sign_by(self.key)
    }

    pub(crate) fn sign_by(&self, key: &SigningKey) -> Result<String> {
        Ok(sign_verbatim(key, &self.header.to_string(), &self.claims.to_string())?)
    }

    /// The draft with this header parameter.
    pub(crate) fn with(&self, name: &str, value: impl Into<Value>) -> Self {
        let mut other = self.clone();
        members(&mut other.header).insert(name.to_owned(), value.into());
        other
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        members(&mut other.header).remove(name);
        other
    }
}

impl Call {
    pub(crate) fn told(&self, source: &str) -> CheckRequest {
        let Target { method, host, path } = &self.target;
        let mut ask = Ask::new(method, path).at_host(host).from(source);
        for shown in &self.shown {
            ask = ask.header(&shown.name, &*shown.value);
        }
        if let Some(pem) = &self.certificate {
            ask = ask.certificate(pem);
        }
        if self.apart { ask.apart() } else { ask }.to_check_request()
    }

    pub(crate) fn of(&self, role: Role) -> Option<&Shown> {
        self.shown.iter().find(|shown| shown.role == Some(role))
    }

    pub(crate) fn of_mut(&mut self, role: Role) -> Option<&mut Shown> {
        self.shown.iter_mut().find(|shown| shown.role == Some(role))
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        self.shown.iter().filter_map(|shown| shown.role)
    }

    pub(crate) fn add(&mut self, name: &str, value: impl Into<String>) {
        self.shown.push(Shown { role: None, name: name.to_owned(), value: value.into() });
    }
}

impl Shown {
    pub(crate) fn new(role: Role, slot: Slot, token: &str) -> Self {
        Self { role: Some(role), name: slot.name.to_owned(), value: format!("{}{token}", slot.scheme) }
    }

    pub(crate) fn token(&self) -> &str {
        self.value.rsplit(' ').next().unwrap_or_default()
    }

    pub(crate) fn set_token(&mut self, token: &str) {
        let scheme = self.value.rfind(' ').map_or(0, |at| at + 1);
        self.value.replace_range(scheme.., token);
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Letters => "letters",
            Self::Claims => "claims",
            Self::Forgeries => "forgeries",
            Self::Headers => "headers",
            Self::Mixed => "mixed",
            Self::Targets => "targets",
        })
    }
}

pub(crate) fn members(object: &mut Value) -> &mut Map<String, Value> {
    object.as_object_mut().unwrap()
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
