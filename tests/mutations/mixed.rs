//! Parts of several calls in one: of another caller, or of another call by the same.

use crate::Scene;
use crate::actor::Actor;
use crate::change::{Call, Change, Kind};
use crate::support::Result;
use crate::way::{Role, Target};
use std::fmt;

pub(crate) fn changes(sample: &Call) -> Vec<Change> {
    swapped(sample).into_iter().chain(of_another_call(sample)).collect()
}

fn change(what: impl fmt::Display, alter: impl Fn(&mut Call, &Scene) -> Result<()> + Send + Sync + 'static) -> Change {
    Change::call(Kind::Mixed, what, alter)
}

/// Whatever is not all of it from a call of another caller.
fn swapped(sample: &Call) -> Vec<Change> {
    let roles: Vec<_> = sample.roles().collect();
    let parts = roles.len() + usize::from(sample.certificate.is_some());
    let all = (1_usize << parts) - 1;
    let taken = (1..all).map(|taken| {
        let theirs: Vec<_> =
            roles.iter().enumerate().filter(|(at, _)| taken >> at & 1 == 1).map(|(_, role)| *role).collect();
        let certificate = taken >> roles.len() & 1 == 1;
        let names: Vec<_> = theirs.iter().map(|role| role.name()).chain(certificate.then_some("certificate")).collect();
        change(format_args!("of another caller: {}", names.join(" and ")), move |call, scene| {
            let other = scene.other.call(&call.target, None)?;
            replace(call, &other, &theirs);
            if certificate {
                call.certificate.clone_from(&other.certificate);
            }
            Ok(())
        })
    });
    taken.collect()
}

/// Tokens of another call by the same caller.
fn of_another_call(sample: &Call) -> Vec<Change> {
    let own: Vec<_> = sample.roles().collect();
    let from = |role: Role, what: &str, target: fn(&Actor) -> Target| {
        change(format_args!("{} {what}", role.name()), move |call, scene| {
            let other = scene.actor.call(&target(&scene.actor), None)?;
            replace(call, &other, &[role]);
            Ok(())
        })
    };
    let renewed = |role: Role| {
        change(format_args!("{} newer than its proof", role.name()), move |call, scene| {
            let token = scene.actor.fresh(role)?.ok_or("not shown")?;
            call.of_mut(role).ok_or("not shown")?.set_token(&token);
            Ok(())
        })
    };
    let proofs = own.contains(&Role::Proof).then(|| {
        [
            from(Role::Proof, "for another path", |actor| Target {
                path: "/v1/payments/8/refund".into(),
                ..actor.target()
            }),
            from(Role::Proof, "for a path above", |actor| Target { path: "/v1/payments".into(), ..actor.target() }),
            from(Role::Proof, "for another method", |actor| Target { method: "PUT".into(), ..actor.target() }),
            from(Role::Proof, "for the method in small letters", |actor| Target {
                method: "post".into(),
                ..actor.target()
            }),
        ]
    });
    let newer = [Role::Bearer, Role::Attestation].into_iter().filter(|role| own.contains(role)).map(renewed);
    newer.chain(proofs.into_iter().flatten()).collect()
}

fn replace(call: &mut Call, other: &Call, roles: &[Role]) {
    for role in roles {
        if let (Some(own), Some(theirs)) = (call.of_mut(*role), other.of(*role)) {
            own.value.clone_from(&theirs.value);
        }
    }
}
