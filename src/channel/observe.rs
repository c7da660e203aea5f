//! What every handle with an attachment of its own tells of the others: written once, for each kind.

/// Methods of a handle to a channel of kind `$kind` whose attachment is `$attachment`, said of `$self`.
macro_rules! observe {
    ($self:ident, $kind:expr, $attachment:expr) => {
        /// Who is attached: one entry for each attachment of each process, this one too, and those who died and
        /// nobody has cleaned up after yet. Others come, go and die meanwhile.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Os`](crate::ErrorKind::Os) where this process cannot see the locks that tell, a forked
        /// child for one.
        pub fn members(&$self) -> Result<Vec<crate::Member>, crate::Error> {
            $attachment.members().map_err(|why| {
                crate::Error::new(crate::Operation::Inspect, $kind.noun(), "", why)
            })
        }

        /// Looks now who has died, and takes back what they left behind. Who waits in a blocking call does so
        /// anyway; this is for those who do not.
        ///
        /// It waits for nobody. Any number of members may do it at once; each counts what it did itself.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Os`](crate::ErrorKind::Os) where this process cannot see the locks that tell.
        pub fn recover(&$self) -> Result<crate::Recovered, crate::Error> {
            $attachment.recover().map_err(|why| {
                crate::Error::new(crate::Operation::Recover, $kind.noun(), "", why)
            })
        }

        /// What happened in the channel since it was made, all members together, those included that have left or died.
        /// Members count while others look: each number is a little old.
        pub fn statistics(&$self) -> crate::Statistics {
            $attachment.statistics()
        }
    };
}
