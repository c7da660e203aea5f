//! What every handle of a queue says of the queue, and does to all of it: written once, for each.

/// Methods of a handle of a queue whose station is `$place`, said of `$self`.
macro_rules! standing {
    ($self:ident, $place:expr) => {
        /// Ends the queue for everybody: what was accepted is still received, nothing more is accepted. It is final.
        ///
        /// A message that was claimed before and not committed yet may still come. Whoever closes keeps a sender until then:
        /// once the last one has gone, receivers that find nothing are told [`Disconnected`](crate::RecvError::Disconnected).
        pub fn close(&$self) {
            $place.close();
        }

        /// Whether anybody has closed the queue.
        pub fn is_closed(&$self) -> bool {
            $place.is_closed()
        }

        /// How many messages the queue holds at most; of one that grows, as large as it is now.
        pub fn capacity(&$self) -> usize {
            $place.capacity()
        }

        /// How many messages were waiting when it looked, those included that were being written. Others send and
        /// receive meanwhile: a hint.
        pub fn len(&$self) -> usize {
            $place.len()
        }

        /// Whether nothing was waiting when it looked.
        pub fn is_empty(&$self) -> bool {
            $self.len() == 0
        }

        /// Whether there was no room when it looked. Messages that receivers hold take room too and are not counted.
        pub fn is_full(&$self) -> bool {
            $self.len() == $self.capacity()
        }
    };
}
