//! `#[derive(Fingerprint)]`: a type tells its name, its fields or variants and their types to whoever compares it.
//!
//! Used through `ringway`, features `derive` or `serde`; `ringway::Fingerprint` says what it is for.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Error, Fields, LitStr, Member, Result, parse_macro_input};

/// Implements `ringway::Fingerprint`. See there.
#[proc_macro_derive(Fingerprint, attributes(fingerprint))]
pub fn fingerprint(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    implementation(item).unwrap_or_else(|why| why.to_compile_error()).into()
}

fn implementation(mut item: DeriveInput) -> Result<TokenStream> {
    let own = Own::of(&item.attrs)?;
    own.refuse_opaque()?;
    let ident = &item.ident;
    let name = own.name.unwrap_or_else(|| ident.unraw());
    let attributes = serde_attributes(&item.attrs);
    let body = match &item.data {
        Data::Struct(data) => fields(&data.fields, true)?,
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let own = Own::of(&variant.attrs)?;
                own.refuse_opaque()?;
                let name = own.name.unwrap_or_else(|| variant.ident.unraw());
                let (attributes, body) =
                    (serde_attributes(&variant.attrs), fields(&variant.fields, false)?);
                Ok(quote! { to.variant(#name, #attributes, |to| { let _ = &to; #body }); })
            });
            variants.collect::<Result<TokenStream>>()?
        }
        Data::Union(_) => return Err(Error::new_spanned(ident, "a union cannot say what it is")),
    };
    for parameter in item.generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!(::ringway::Fingerprint));
    }
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    Ok(quote! {
        impl #parameters ::ringway::Fingerprint for #ident #arguments #conditions {
            fn describe(to: &mut ::ringway::Description) {
                to.structure::<Self>(#name, #attributes, |to| { let _ = &to; #body });
            }
        }
    })
}

/// Tells each of `fields`; those of a structure with their offsets.
fn fields(fields: &Fields, with_offsets: bool) -> Result<TokenStream> {
    let told = fields.members().zip(fields).map(|(member, field)| {
        let own = Own::of(&field.attrs)?;
        let name = own.name.unwrap_or_else(|| match &member {
            Member::Named(ident) => ident.unraw(),
            Member::Unnamed(index) => index.index.to_string(),
        });
        let offset = if with_offsets {
            quote! { ::core::option::Option::Some(::core::mem::offset_of!(Self, #member)) }
        } else {
            quote! { ::core::option::Option::None }
        };
        let (attributes, kind) = (serde_attributes(&field.attrs), &field.ty);
        Ok(if let Some(text) = own.opaque {
            let text = format!("{text}{attributes}");
            quote! { to.opaque_field(#name, #offset, #text); }
        } else {
            quote! { to.field::<#kind>(#name, #offset, #attributes); }
        })
    });
    told.collect()
}

/// What `#[fingerprint(...)]` says.
#[derive(Default)]
struct Own {
    name: Option<String>,
    opaque: Option<String>,
    span: Option<Attribute>,
}

impl Own {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut own = Self::default();
        for attribute in attributes.iter().filter(|one| one.path().is_ident("fingerprint")) {
            own.span = Some(attribute.clone());
            attribute.parse_nested_meta(|meta| {
                let place = match () {
                    () if meta.path.is_ident("name") => &mut own.name,
                    () if meta.path.is_ident("opaque") => &mut own.opaque,
                    () => return Err(meta.error("`name = \"...\"` or `opaque = \"...\"`")),
                };
                *place = Some(meta.value()?.parse::<LitStr>()?.value());
                Ok(())
            })?;
        }
        Ok(own)
    }

    fn refuse_opaque(&self) -> Result<()> {
        match (&self.opaque, &self.span) {
            (Some(_), Some(span)) => Err(Error::new_spanned(span, "only a field can be opaque")),
            _ => Ok(()),
        }
    }
}

/// What the attributes of serde say, without white space: they may change how a type is written.
fn serde_attributes(attributes: &[Attribute]) -> String {
    let serde = attributes.iter().filter(|one| one.path().is_ident("serde"));
    let words = serde.map(|one| one.meta.to_token_stream().to_string());
    words.flat_map(|word| word.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>()).collect()
}

/// Names without the mark of raw ones.
trait Unraw {
    fn unraw(&self) -> String;
}

impl Unraw for syn::Ident {
    fn unraw(&self) -> String {
        syn::ext::IdentExt::unraw(self).to_string()
    }
}
