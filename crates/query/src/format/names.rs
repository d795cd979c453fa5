//! Names of columns, where a form has one place for each.

use arrow::datatypes::{DataType, Fields};

/// A name that several columns have, or several fields of one column. An object of JSON has one place for each name: readers keep the last.
pub fn repeated_name(fields: &Fields) -> Option<&str> {
    let mut names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    let repeated = names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    });
    repeated.or_else(|| fields.iter().find_map(|field| within(field.data_type())))
}

fn within(kind: &DataType) -> Option<&str> {
    match kind {
        DataType::Struct(fields) => repeated_name(fields),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::FixedSizeList(field, _) => within(field.data_type()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    /// Scenario: columns of different names, of the same name, and structs with the same name twice.
    /// Guarantees: the repeated name is told.
    #[test]
    fn names_that_are_repeated() {
        let number = |name: &str| Field::new(name, DataType::Int64, true);
        let of = |names: [&str; 2]| Fields::from(names.map(number).to_vec());
        assert_eq!(repeated_name(&of(["a", "b"])), None);
        assert_eq!(repeated_name(&of(["a", "a"])), Some("a"));
        let list = DataType::new_list(DataType::Struct(of(["x", "x"])), true);
        let fields = Fields::from(vec![number("a"), Field::new("b", list, true)]);
        assert_eq!(repeated_name(&fields), Some("x"));
        let fields = Fields::from(vec![number("a"), Field::new("b", DataType::Struct(of(["a", "b"])), true)]);
        assert_eq!(repeated_name(&fields), None);
    }
}
