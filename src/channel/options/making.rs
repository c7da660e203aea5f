//! Making, finding and removing channels.

use std::sync::Arc;

use super::{Channel, Options, Party, sealed};
use crate::builder::Basics;
use crate::channel::lane::End;
use crate::error::{Error, ErrorKind, Failure, Operation};
use crate::member::{self, Attachment};
use crate::name::Address;

/// Making, finding and removing.
impl<C: Channel> Options<C> {
    /// Makes a new channel and takes its first end.
    ///
    /// Others see the name only once the channel is complete.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] if a channel has the name, or what has it instead; [`ErrorKind::InvalidName`],
    /// [`ErrorKind::InvalidOption`], [`ErrorKind::NoSpace`], [`ErrorKind::FileSizeLimit`],
    /// [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`] and what the system answers. The channel is
    /// built before its name is looked at: where there is no room, that is what a taken name answers too.
    pub fn create(&self, name: &str) -> Result<C, Error> {
        self.basics.run(Operation::Create, name, |address| {
            let made = self.basics.create(address, || self.build())?;
            if self.growth.is_some() {
                member::remove_orphans(address, &self.basics.trust);
            }
            Ok(made)
        })
    }

    /// Opens a channel that exists and takes a free end, or that of a dead member.
    ///
    /// Of a pipe it takes the opener's end if that is to be had, else the maker's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::EndTaken`], [`ErrorKind::TooManyMembers`],
    /// [`ErrorKind::BarrierUnsupported`], [`ErrorKind::LivenessUnsupported`], [`ErrorKind::Contended`], and the
    /// kinds that say what the name holds instead of what was asked for.
    pub fn open(&self, name: &str) -> Result<C, Error> {
        self.basics.run(Operation::Open, name, |address| self.join(address))
    }

    /// Opens the channel, or makes it where there is none. Messages in it are kept.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(&self, name: &str) -> Result<C, Error> {
        self.basics.run(Operation::OpenOrCreate, name, |address| {
            Basics::open_or_create(address, |address| self.join(address), || self.build())
        })
    }

    /// Makes a new channel under a name that may be taken. Whoever uses the old one keeps it, without a
    /// name, and does not meet users of the new one.
    ///
    /// Between the removal of the old name and the new one nothing has the name.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create) and [`unlink`](Self::unlink).
    pub fn replace(&self, name: &str) -> Result<C, Error> {
        self.basics
            .run(Operation::Replace, name, |address| self.basics.replace(address, || self.build()))
    }

    /// Removes the name. Who is attached goes on undisturbed; nobody else finds the channel any more.
    ///
    /// It removes any regular file of this user under that name, also one that this build cannot read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::NotAFile`], [`ErrorKind::ForeignOwner`],
    /// [`ErrorKind::PermissionDenied`], [`ErrorKind::Contended`].
    pub fn unlink(&self, name: &str) -> Result<(), Error> {
        self.basics.run(Operation::Unlink, name, |address| self.basics.remove(address))
    }

    /// Removes the names that begin with `prefix` of channels which were to go with their users, who are all dead.
    #[cfg(feature = "manager")]
    pub(crate) fn sweep(&self, prefix: &str) {
        self.basics.sweep(prefix);
    }

    /// A new channel, complete but for its name.
    fn build(&self) -> Result<C, Failure> {
        self.check_type()?;
        let patience = self.basics.patience()?;
        let attachment = Attachment::create(&self.plan()?)?;
        self.basics.watched(C::attach(attachment, Party::Maker, patience)?)
    }

    /// A new channel that never has a name.
    pub(in crate::channel) fn build_unnamed(&self) -> Result<C, Error> {
        let named = "a queue that grows has a name";
        let built = match self.growth {
            Some(_) => Err(ErrorKind::InvalidOption(named).into()),
            None => self.build(),
        };
        built.map_err(|failure| Error::new(Operation::Create, C::KIND.noun(), "", failure))
    }

    fn join(&self, address: &Address) -> Result<C, Failure> {
        self.check_type()?;
        let patience = self.basics.patience()?;
        let attachment = self.basics.attach(address, &self.expected())?;
        self.basics.watched(C::attach(attachment, Party::Opener, patience)?)
    }

    /// Both ends of a new channel without a name.
    pub(in crate::channel) fn make_pair<D: sealed::Ended>(&self) -> Result<(C, D), Error>
    where
        C: sealed::Ended,
    {
        let make = || {
            let first = Attachment::create(&self.plan()?)?;
            let second = first.again()?;
            let patience = self.basics.patience()?;
            let first = claim(first, &[0])?;
            let second = claim(second, &[1])?;
            Ok((
                self.basics.watched(C::take(first, patience)?)?,
                self.basics.watched(D::take(second, patience)?)?,
            ))
        };
        make().map_err(|failure| Error::new(Operation::Create, C::KIND.noun(), "", failure))
    }
}

/// Takes the first of `ends` that can be had.
pub(in crate::channel) fn claim(
    attachment: Attachment,
    ends: &[usize],
) -> Result<Arc<End>, Failure> {
    let mut failure = None;
    for &number in ends {
        match attachment.claim_end(number) {
            Ok(suspect) => return Ok(Arc::new(End::new(attachment, number, suspect))),
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    Err(failure.expect("a channel has ends"))
}
