//! The contract versions as data: the dimensions that identify a row of each table.

use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Str,
    OptionalStr,
    /// A conditional dimension: a str that is hashed only when it is present and differs from this text.
    StrUnless(&'static str),
    I32,
    F64,
}

#[derive(Clone, Copy, Debug)]
pub struct Dimension {
    pub name: &'static str,
    pub kind: Kind,
    /// The first contract version that has this dimension.
    since: u32,
}

/// A fact table in one contract version.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Dimensions in hash order.
    pub dimensions: Vec<Dimension>,
}

#[derive(Debug)]
pub struct Contract {
    pub version: u32,
    pub tables: [Table; 5],
}

impl Contract {
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// All contract versions, oldest first.
pub fn contracts() -> &'static [Contract] {
    &*CONTRACTS
}

pub fn contract(version: u32) -> Option<&'static Contract> {
    contracts().iter().find(|contract| contract.version == version)
}

static CONTRACTS: LazyLock<[Contract; 3]> = LazyLock::new(|| [1, 2, 3].map(contract_of));

fn contract_of(version: u32) -> Contract {
    let tables = DIMENSIONS.map(|(name, dimensions)| Table {
        name,
        dimensions: dimensions
            .iter()
            .filter(|dimension| dimension.since <= version)
            .copied()
            .collect(),
    });
    Contract { version, tables }
}

const fn dimension(name: &'static str, kind: Kind) -> Dimension {
    Dimension { name, kind, since: 1 }
}

/// Every table with the dimensions of all versions. Version 2 added none.
const DIMENSIONS: [(&str, &[Dimension]); 5] = [
    (
        "query_measurements",
        &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("dataset_variant", Kind::OptionalStr),
            dimension("scale_factor", Kind::OptionalStr),
            dimension("query_idx", Kind::I32),
            dimension("storage", Kind::Str),
            dimension("engine", Kind::Str),
            dimension("format", Kind::Str),
        ],
    ),
    (
        "compression_times",
        &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("dataset_variant", Kind::OptionalStr),
            dimension("format", Kind::Str),
            dimension("op", Kind::Str),
        ],
    ),
    (
        "compression_sizes",
        &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("dataset_variant", Kind::OptionalStr),
            dimension("format", Kind::Str),
        ],
    ),
    (
        "random_access_times",
        &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("format", Kind::Str),
            Dimension {
                name: "open_mode",
                kind: Kind::StrUnless("cached"),
                since: 3,
            },
        ],
    ),
    (
        "vector_search_runs",
        &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("layout", Kind::Str),
            dimension("flavor", Kind::Str),
            dimension("threshold", Kind::F64),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::{contract, contracts};

    fn names(version: u32, table: &str) -> Vec<&'static str> {
        let table = contract(version).unwrap().table(table).unwrap();
        table.dimensions.iter().map(|dimension| dimension.name).collect()
    }

    #[test]
    fn there_are_three_versions_in_order() {
        let versions: Vec<u32> = contracts().iter().map(|contract| contract.version).collect();
        assert_eq!(versions, [1, 2, 3]);
        assert!(contract(0).is_none() && contract(4).is_none());
    }

    #[test]
    fn only_version_3_adds_a_dimension() {
        let counts = |version| {
            contract(version)
                .unwrap()
                .tables
                .each_ref()
                .map(|table| table.dimensions.len())
        };
        assert_eq!(counts(1), [8, 5, 4, 3, 5]);
        assert_eq!(counts(2), counts(1));
        assert_eq!(counts(3), [8, 5, 4, 4, 5]);
    }

    #[test]
    fn open_mode_follows_format() {
        let earlier = ["commit_sha", "dataset", "format"];
        assert_eq!(names(1, "random_access_times"), earlier);
        assert_eq!(names(3, "random_access_times"), [&earlier[..], &["open_mode"]].concat());
    }
}
