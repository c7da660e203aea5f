//! Maps.

mod entries;

pub(in crate::manager) use self::entries::Entries;

use super::super::client::Client;
use super::super::error::CallError;
use super::super::item::{Item, fingerprint_of};
use super::super::proxy::Encoder;
use super::ordered::ABSENT;
use super::snapshot::{Snapshot, exchange, kept, until_unchanged};

proxy! {
    /// A map that a server keeps. Each call is one step to all others, whatever they do meanwhile.
    ///
    /// Keys and values are compared as the bytes that they are serialised to: `0.0` and `-0.0` are two keys, and a `HashMap` is no good
    /// key, since equal ones have several forms. The order is that in which keys came; a key that gets another value stays where it is.
    ///
    /// A list within a map, `Map<String, List<u64>>`, is a proxy: what is changed through it is changed there.
    ///
    /// ```
    /// use ringway::manager::{Client, Server};
    ///
    /// let name = format!("map-{}", std::process::id());
    /// let server = Server::bind(&name)?.spawn();
    /// let client = Client::connect(&name)?;
    ///
    /// let stock = client.map::<String, u32>("stock")?;
    /// let (nuts, bolts) = ("nuts".to_owned(), "bolts".to_owned());
    /// assert_eq!(stock.insert(&nuts, &40)?, None);
    /// assert_eq!(stock.update(&nuts, |old| old.map(|n| n - 1))?, Some(39));
    /// assert_eq!(stock.get_or_insert(&bolts, &7)?, 7);
    /// assert_eq!(stock.items()?, [(nuts, 39), (bolts, 7)]);
    /// # drop((stock, client));
    /// # server.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Map<K, V>
}

impl<K: Item, V: Item> Map<K, V> {
    /// How many entries there are.
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

    /// The value of `key`, if there is one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn get(&self, key: &K) -> Result<Option<V>, CallError> {
        self.proxy.call_with("get", |to| to.value(key))
    }

    /// Whether there is a value of `key`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn contains_key(&self, key: &K) -> Result<bool, CallError> {
        self.proxy.call_with("contains", |to| to.value(key))
    }

    /// Makes `value` that of `key`, and gives the one that it had.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn insert(&self, key: &K, value: &V) -> Result<Option<V>, CallError> {
        self.proxy.call_with("insert", |to| {
            to.value(key)?;
            to.value(value)
        })
    }

    /// The value of `key`, which is `value` if it had none.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn get_or_insert(&self, key: &K, value: &V) -> Result<V, CallError> {
        self.proxy.call_with("get_or_insert", |to| {
            to.value(key)?;
            to.value(value)
        })
    }

    /// The value of `key`, which is what `make` makes if it had none. If another is faster, it is that one's.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> V) -> Result<V, CallError> {
        match self.get(key)? {
            Some(value) => Ok(value),
            None => self.get_or_insert(key, &make()),
        }
    }

    /// Takes out the entry of `key`, and gives its value.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn remove(&self, key: &K) -> Result<Option<V>, CallError> {
        self.proxy.call_with("remove", |to| to.value(key))
    }

    /// Takes out the entry whose key came last, if there is one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn pop(&self) -> Result<Option<(K, V)>, CallError> {
        self.proxy.call_with("pop", |_| Ok(()))
    }

    /// Takes out all.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn clear(&self) -> Result<(), CallError> {
        self.proxy.call_with("clear", |_| Ok(()))
    }

    /// Inserts all of `entries`, in one step.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn extend<'a>(
        &self,
        entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    ) -> Result<(), CallError> {
        let entries: Vec<(&K, &V)> = entries.into_iter().collect();
        self.proxy.call_with("extend", |to| {
            to.put(&entries.len())?;
            entries.into_iter().try_for_each(|(key, value)| {
                to.value(key)?;
                to.value(value)
            })
        })
    }

    /// All keys, in their order.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn keys(&self) -> Result<Vec<K>, CallError> {
        self.proxy.call_with("keys", |_| Ok(()))
    }

    /// All values, in the order of their keys.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn values(&self) -> Result<Vec<V>, CallError> {
        self.proxy.call_with("values", |_| Ok(()))
    }

    /// All entries at one moment.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn snapshot(&self) -> Result<Snapshot<(K, V)>, CallError> {
        self.proxy.call_with("snapshot", |_| Ok(()))
    }

    /// All entries at one moment.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn items(&self) -> Result<Vec<(K, V)>, CallError> {
        self.snapshot().map(Snapshot::into_vec)
    }

    /// Makes the value of `key` what is given, or takes it out, if it is `current`, byte by byte as they are serialised; `None`
    /// for no value. Else `Err` with what it is.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn compare_exchange(
        &self,
        key: &K,
        current: Option<&V>,
        value: Option<&V>,
    ) -> Result<Result<(), Option<V>>, CallError> {
        let other: Option<Option<V>> = self.proxy.call_with("compare_exchange", |to| {
            to.value(key)?;
            optional_argument(to, current)?;
            optional_argument(to, value)
        })?;
        Ok(other.map_or(Ok(()), Err))
    }

    /// Makes the value of `key` what `change` makes of it, and gives that; `None` for no value, before and after. Where others were
    /// faster `change` is called again.
    ///
    /// # Errors
    ///
    /// [`CallError::Contended`]; why there is no answer.
    pub fn update(
        &self,
        key: &K,
        mut change: impl FnMut(Option<&V>) -> Option<V>,
    ) -> Result<Option<V>, CallError> {
        let seen: Option<(u64, V)> = self.proxy.call_with("look", |to| to.value(key))?;
        exchange(seen, |old| {
            let stamp = old.as_ref().map_or(ABSENT, |(stamp, _)| *stamp);
            let new = change(old.as_ref().map(|(_, value)| value));
            let other: Option<Option<(u64, V)>> = self.proxy.call_with("exchange", |to| {
                to.value(key)?;
                to.put(&stamp)?;
                optional_argument(to, new.as_ref())
            })?;
            Ok(other.map_or(Ok(new), Err))
        })
    }

    /// Takes out all that `keep` does not keep, in one step for others. `keep` is asked here; where others changed something meanwhile it
    /// is asked anew.
    ///
    /// # Errors
    ///
    /// [`CallError::Contended`]; why there is no answer.
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) -> Result<(), CallError> {
        until_unchanged(|| {
            let seen = self.snapshot()?;
            let Some(kept) = kept(&seen, |(key, value)| keep(key, value)) else {
                return Ok(Some(()));
            };
            let done: bool = self.proxy.call_with("keep", |to| to.put(&(seen.version(), kept)))?;
            Ok(done.then_some(()))
        })
    }
}

fn optional_argument<V: Item>(to: &mut Encoder<'_>, value: Option<&V>) -> Result<(), CallError> {
    to.put(&value.is_some())?;
    value.map_or(Ok(()), |value| to.value(value))
}

impl Client {
    /// The map of that name, which is made empty if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongType`](crate::manager::Refusal::WrongType) if it is something else, or of other types; why there is no answer.
    pub fn map<K: Item, V: Item>(&self, name: &str) -> Result<Map<K, V>, CallError> {
        self.make::<Entries>(Some(name), fingerprint_of::<(K, V)>(), |_| Ok(())).map(Map::of)
    }

    /// A new empty map without a name.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn new_map<K: Item, V: Item>(&self) -> Result<Map<K, V>, CallError> {
        self.make::<Entries>(None, fingerprint_of::<(K, V)>(), |_| Ok(())).map(Map::of)
    }
}
