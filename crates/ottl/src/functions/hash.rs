//! Hashes of text, in lower-case hexadecimal.

use sha2::Digest;
use twox_hash::{XxHash3_64, XxHash3_128};

use super::{Args, Function, ParamKind, required};
use crate::eval::expr::Env;
use crate::eval::val::Val;
use crate::eval::{EvalError, convert as to};

const TARGET: super::Param = required("target", ParamKind::Str);

/// Reading from memory does not fail.
const UNREADABLE: EvalError = EvalError::Static("the text to hash cannot be read");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("SHA1", &[TARGET], digest::<sha1::Sha1>),
    Function::plain("SHA256", &[TARGET], digest::<sha2::Sha256>),
    Function::plain("SHA512", &[TARGET], digest::<sha2::Sha512>),
    Function::plain("MD5", &[TARGET], digest::<md5::Md5>),
    Function::plain("FNV", &[TARGET], |args, env| {
        let text = args.string(0, env)?;
        let hash = text
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        Ok(Val::Int(hash as i64))
    }),
    Function::plain("XXH3", &[TARGET], |args, env| {
        Ok(Val::string(format!("{:016x}", XxHash3_64::oneshot(&args.string(0, env)?))))
    }),
    Function::plain("XXH128", &[TARGET], |args, env| {
        Ok(Val::string(format!("{:032x}", XxHash3_128::oneshot(&args.string(0, env)?))))
    }),
    // Both in the order in which they lie in memory.
    Function::plain("Murmur3Hash", &[TARGET], |args, env| {
        let hash = murmur3::murmur3_32(&mut &*args.string(0, env)?, 0).map_err(|_| UNREADABLE)?;
        Ok(Val::string(to::hex(&hash.to_le_bytes())))
    }),
    Function::plain("Murmur3Hash128", &[TARGET], |args, env| {
        let hash = murmur3::murmur3_x64_128(&mut &*args.string(0, env)?, 0).map_err(|_| UNREADABLE)?;
        Ok(Val::string(to::hex(&hash.to_le_bytes())))
    }),
];

fn digest<'e, D: Digest>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let text = args.string(0, env)?;
    Ok(Val::string(to::hex(&D::digest(&*text))))
}
