//! What came back from a call, read whole.

use super::Result;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn to(request: RequestBuilder) -> Result<Self> {
        Self::read(request.send().await?).await
    }

    pub async fn read(response: Response) -> Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, body: response.text().await? })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The challenge that came along.
    pub fn challenge(&self) -> Option<&str> {
        self.header("oauth-client-attestation-challenge")
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).map_err(|why| format!("not JSON ({why}): {self:?}").into())
    }

    /// The problem's code; empty where there is none.
    pub fn code(&self) -> String {
        let problem = self.json().unwrap_or_default();
        problem.get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
