use std::str::FromStr;

/// A label as it is written on a command line: `key=value`, or `key` for `key=true`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LabelText {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for LabelText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').unwrap_or((text, "true"));
        if key.is_empty() {
            return Err("the label has no key: write it as `role=leader`".to_owned());
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_without_a_value_is_true() {
        for (text, key, value) in [
            ("leads", "leads", "true"),
            ("example.org/role=leader", "example.org/role", "leader"),
            ("role=", "role", ""),
        ] {
            let label: LabelText = text.parse().unwrap();
            assert_eq!((label.key.as_str(), label.value.as_str()), (key, value));
        }
        assert!("=leader".parse::<LabelText>().is_err());
    }
}
