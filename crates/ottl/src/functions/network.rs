//! Addresses and networks.

use std::net::{IpAddr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::{Args, Function, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::convert as to;
use crate::eval::expr::{Env, Expr};
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::prepared(
        "IsInCIDR",
        &[required("target", ParamKind::Str), required("networks", ParamKind::Anys)],
        |args| {
            let networks = args.list(1).iter().map(|network| match network {
                Expr::Const(value) => {
                    let text = to::string(value.borrow()).map_err(|error| error.to_string())?;
                    Network::parse(&text).map(Some).map_err(|error| error.to_string())
                }
                _ => Ok(None),
            });
            let networks: Vec<Option<Network>> = networks.collect::<Result<_, String>>()?;
            Ok(Box::new(IsInCidr { networks }))
        },
    ),
    Function::plain(
        "CommunityID",
        &[
            required("source_ip", ParamKind::Str),
            required("source_port", ParamKind::Int),
            required("destination_ip", ParamKind::Str),
            required("destination_port", ParamKind::Int),
            optional("protocol", ParamKind::Str),
            optional("seed", ParamKind::Int),
        ],
        |args, env| {
            let source = endpoint(args, env, 0)?;
            let destination = endpoint(args, env, 2)?;
            let protocol = if args.has(4) { protocol(&args.string(4, env)?)? } else { TCP };
            let seed = if args.has(5) { short(args.int(5, env)?)? } else { 0 };
            Ok(Val::string(community_id(source, destination, protocol, seed)))
        },
    ),
];

const TCP: u8 = 6;

/// A network in CIDR notation. An IPv4 network may be written as a part of IPv6.
#[derive(Debug, Clone, Copy)]
struct Network {
    v4: bool,
    bits: u128,
    mask: u128,
}

/// The networks by position; those that have to be computed are none.
#[derive(Debug)]
struct IsInCidr {
    networks: Vec<Option<Network>>,
}

/// Address and port. IPv4 has four bytes.
type Endpoint = (Vec<u8>, u16);

fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

// === impl Network ===

impl Network {
    fn parse(text: &[u8]) -> Result<Self, EvalError> {
        let wrong = || EvalError::parse("network", text);
        let slash = memchr::memchr(b'/', text).ok_or_else(wrong)?;
        let (start, length) = text.split_at(slash);
        let start = address(start).ok_or_else(wrong)?;
        let digits = length.get(1..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("");
        let length: u32 = match digits {
            digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        let (offset, bits) = match start {
            IpAddr::V4(_) => (96, 32),
            IpAddr::V6(_) => (0, 128),
        };
        if length > bits {
            return Err(wrong());
        }
        let mask = u128::MAX.checked_shl(128 - offset - length).unwrap_or(0);
        let bits = wide(start) & mask;
        Ok(Self { v4: Ipv6Addr::from_bits(bits).to_ipv4_mapped().is_some(), bits, mask })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = wide(address);
        let v4 = Ipv6Addr::from_bits(address).to_ipv4_mapped().is_some();
        // Of an IPv4 network only the last 32 bits of the mask count.
        let mask = if self.v4 { self.mask | u128::MAX << 32 } else { self.mask };
        v4 == self.v4 && address & mask == self.bits & mask
    }
}

/// An address as IPv6 has it.
fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

// === impl IsInCidr ===

impl Prepared for IsInCidr {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let Some(address) = address(&args.string(0, env)?) else { return Ok(Val::Bool(false)) };
        for (known, network) in self.networks.iter().zip(args.list(1)) {
            let contains = match known {
                Some(network) => network.contains(address),
                None => Network::parse(&to::string(network.eval(env)?)?)?.contains(address),
            };
            if contains {
                return Ok(Val::Bool(true));
            }
        }
        Ok(Val::Bool(false))
    }
}

fn endpoint<'e>(args: &'e Args, env: &'e Env<'e>, at: usize) -> Result<Endpoint, EvalError> {
    let text = args.string(at, env)?;
    let port = short(args.int(at + 1, env)?)?;
    let address = address(&text).ok_or_else(|| EvalError::parse("IP address", &text))?;
    let bytes = match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    Ok((bytes, port))
}

/// A port or a seed.
fn short(value: i64) -> Result<u16, EvalError> {
    u16::try_from(value).map_err(|_| EvalError::Static("ports and seeds must be between 0 and 65535"))
}

fn protocol(name: &[u8]) -> Result<u8, EvalError> {
    Ok(match name {
        b"ICMP" => 1,
        b"TCP" => TCP,
        b"UDP" => 17,
        b"RSVP" => 46,
        b"ICMP6" => 58,
        b"SCTP" => 132,
        other => return Err(EvalError::parse("protocol", other)),
    })
}

/// Both directions of a flow have the same id.
fn community_id(source: Endpoint, destination: Endpoint, protocol: u8, seed: u16) -> String {
    let key = |(address, port): &Endpoint| (address.len(), address.clone(), *port);
    let (first, second) = if key(&source) > key(&destination) { (destination, source) } else { (source, destination) };
    let mut hash = Sha1::new();
    hash.update(seed.to_be_bytes());
    hash.update(&first.0);
    hash.update(&second.0);
    hash.update([protocol, 0]);
    hash.update(first.1.to_be_bytes());
    hash.update(second.1.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}
