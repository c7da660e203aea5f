//! What proxies of lists and arrays have in common.

/// The methods of a proxy whose object is a row.
macro_rules! row_methods {
    ($name:ident) => {
        impl<T: Item> $name<T> {
            /// How many values there are.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn len(&self) -> Result<usize, CallError> {
                self.proxy.call_with("len", |_| Ok(()))
            }

            /// Whether there are none.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn is_empty(&self) -> Result<bool, CallError> {
                Ok(self.len()? == 0)
            }

            /// The number of the last change: the same as that of a [`Snapshot`] while that is what there is.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn version(&self) -> Result<u64, CallError> {
                self.proxy.call_with("version", |_| Ok(()))
            }

            /// The value at `index`, if there is one.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn get(&self, index: usize) -> Result<Option<T>, CallError> {
                self.proxy.call_with("get", |to| to.put(&index))
            }

            /// The first value, if there is one.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn first(&self) -> Result<Option<T>, CallError> {
                self.get(0)
            }

            /// The last value, if there is one.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn last(&self) -> Result<Option<T>, CallError> {
                self.proxy.call_with("last", |_| Ok(()))
            }

            /// Makes `value` the one at `index`.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`]; why there is no answer.
            pub fn set(&self, index: usize, value: &T) -> Result<(), CallError> {
                self.proxy.call_with("set", |to| {
                    to.put(&index)?;
                    to.value(value)
                })
            }

            /// Makes `value` the one at `index`, and gives the one that was there.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`]; why there is no answer.
            pub fn replace(&self, index: usize, value: &T) -> Result<T, CallError> {
                self.proxy.call_with("replace", |to| {
                    to.put(&index)?;
                    to.value(value)
                })
            }

            /// Exchanges two values.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`]; why there is no answer.
            pub fn swap(&self, one: usize, other: usize) -> Result<(), CallError> {
                self.proxy.call_with("swap", |to| to.put(&(one, other)))
            }

            /// Turns the order around.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn reverse(&self) -> Result<(), CallError> {
                self.proxy.call_with("reverse", |_| Ok(()))
            }

            /// The values at `range`.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`] if it ends behind the last or before it begins; why there is no answer.
            pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, CallError> {
                self.proxy.call_with("slice", |to| to.put(&bounds(range)))
            }

            /// Makes `values` those from `start` on, in one step.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`] if not all have a place; why there is no answer.
            pub fn set_slice(&self, start: usize, values: &[T]) -> Result<(), CallError> {
                self.proxy.call_with("set_slice", |to| {
                    to.put(&(start, values.len()))?;
                    values.iter().try_for_each(|value| to.value(value))
                })
            }

            /// The index of the first value that is the same as `value`, byte by byte as they are serialised.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn index(&self, value: &T) -> Result<Option<usize>, CallError> {
                self.proxy.call_with("index", |to| to.value(value))
            }

            /// Whether a value is the same as `value`, byte by byte as they are serialised.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn contains(&self, value: &T) -> Result<bool, CallError> {
                Ok(self.index(value)?.is_some())
            }

            /// How many values are the same as `value`, byte by byte as they are serialised.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn count(&self, value: &T) -> Result<usize, CallError> {
                self.proxy.call_with("count", |to| to.value(value))
            }

            /// All of it at one moment.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn snapshot(&self) -> Result<Snapshot<T>, CallError> {
                self.proxy.call_with("snapshot", |_| Ok(()))
            }

            /// All of it at one moment.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn to_vec(&self) -> Result<Vec<T>, CallError> {
                self.snapshot().map(Snapshot::into_vec)
            }

            /// Makes the value at `index` what is given if it is `current`, byte by byte as they are serialised. Else `Err` with what it is.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`]; why there is no answer.
            pub fn compare_exchange(
                &self,
                index: usize,
                current: &T,
                value: &T,
            ) -> Result<Result<(), T>, CallError> {
                let other: Option<T> = self.proxy.call_with("compare_exchange", |to| {
                    to.put(&index)?;
                    to.value(current)?;
                    to.value(value)
                })?;
                Ok(other.map_or(Ok(()), Err))
            }

            /// Makes the value at `index` what `change` makes of it, and gives that. Where others were faster `change` is called again.
            ///
            /// # Errors
            ///
            /// [`Refusal::OutOfRange`]; [`CallError::Contended`]; why there is no answer.
            pub fn update(
                &self,
                index: usize,
                mut change: impl FnMut(&T) -> T,
            ) -> Result<T, CallError> {
                let seen: (u64, T) = self.proxy.call_with("look", |to| to.put(&index))?;
                exchange(seen, |(stamp, old)| {
                    let new = change(old);
                    let other: Option<(u64, T)> = self.proxy.call_with("exchange", |to| {
                        to.put(&(index, *stamp))?;
                        to.value(&new)
                    })?;
                    Ok(other.map_or(Ok(new), Err))
                })
            }

            /// Makes `values` all that there is, in one step, if nothing has changed since `version`: whether it did.
            ///
            /// # Errors
            ///
            /// Why there is no answer.
            pub fn put_back(&self, version: u64, values: &[T]) -> Result<bool, CallError> {
                self.proxy.call_with("put_back", |to| {
                    to.put(&(version, values.len()))?;
                    values.iter().try_for_each(|value| to.value(value))
                })
            }

            /// Sorts it, in one step for others: equal ones keep their order. The values are compared here; where others changed
            /// something meanwhile it begins anew.
            ///
            /// # Errors
            ///
            /// [`CallError::Contended`]; why there is no answer.
            pub fn sort(&self) -> Result<(), CallError>
            where
                T: Ord,
            {
                self.sort_by(T::cmp)
            }

            /// Sorts it by what `key` makes of each value, as [`sort`](Self::sort) does.
            ///
            /// # Errors
            ///
            /// [`CallError::Contended`]; why there is no answer.
            pub fn sort_by_key<K: Ord>(
                &self,
                mut key: impl FnMut(&T) -> K,
            ) -> Result<(), CallError> {
                self.sort_by(|one, other| key(one).cmp(&key(other)))
            }

            /// Sorts it in the order that `by` tells, as [`sort`](Self::sort) does.
            ///
            /// # Errors
            ///
            /// [`CallError::Contended`]; why there is no answer.
            pub fn sort_by(&self, mut by: impl FnMut(&T, &T) -> Ordering) -> Result<(), CallError> {
                until_unchanged(|| {
                    let seen = self.snapshot()?;
                    let order = sorted(&seen, &mut by);
                    if order.is_sorted() { Ok(Some(())) } else { self.pick(&seen, &order) }
                })
            }

            /// Makes it these of what was `seen`, in that order, if nothing has changed since.
            fn pick(&self, seen: &Snapshot<T>, order: &[usize]) -> Result<Option<()>, CallError> {
                let picked: bool =
                    self.proxy.call_with("pick", |to| to.put(&(seen.version(), order)))?;
                Ok(picked.then_some(()))
            }
        }
    };
}
