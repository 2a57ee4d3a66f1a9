//! Even shares: what members hold beyond their share, and where new work goes.

use std::collections::BTreeMap;

use super::super::{Items, MemberId};

/// What has to be taken away so that each member can have its share, connectors and tasks each on their own.
pub fn surplus(configured: &Items, holding: &BTreeMap<MemberId, Items>) -> BTreeMap<MemberId, Items> {
    let mut surplus: BTreeMap<MemberId, Items> = BTreeMap::new();
    if configured.is_empty() || holding.values().all(Items::is_empty) {
        return surplus;
    }
    for connectors in [true, false] {
        let total = configured
            .iter()
            .filter(|item| item.is_connector() == connectors)
            .count();
        surplus_of_kind(connectors, total, holding, &mut surplus);
    }
    surplus
}

fn surplus_of_kind(
    connectors: bool,
    total: usize,
    holding: &BTreeMap<MemberId, Items>,
    surplus: &mut BTreeMap<MemberId, Items>,
) {
    let (least, extra) = (total / holding.len(), total % holding.len());
    let counts: Vec<usize> = holding.values().map(|items| count(items, connectors)).collect();
    let with_extra = counts.iter().filter(|count| **count == least + 1).count();
    let with_least = counts.iter().filter(|count| **count == least).count();
    if with_extra == extra && with_least + with_extra == holding.len() {
        return;
    }
    let mut granted = 0;
    for ((member, items), held) in holding.iter().zip(counts) {
        if held <= least {
            continue;
        }
        let most = if granted < extra { least + 1 } else { least };
        granted += most - least;
        let too_much = items.iter().filter(|item| item.is_connector() == connectors);
        let too_much: Items = too_much.take(held - most).cloned().collect();
        if !too_much.is_empty() {
            surplus.entry(member.clone()).or_default().extend(too_much);
        }
    }
}

/// Gives each item to the member that has the fewest of its kind, those of equal number in the order of their ids.
pub fn assign(holding: &mut BTreeMap<MemberId, Items>, items: &Items) {
    for connectors in [true, false] {
        let mut new = items.iter().filter(|item| item.is_connector() == connectors).peekable();
        let mut members: Vec<(usize, &MemberId, &mut Items)> = holding
            .iter_mut()
            .map(|(member, items)| (count(items, connectors), member, items))
            .collect();
        members.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        while new.peek().is_some() && !members.is_empty() {
            let fewest = members[0].0;
            let equals = members.partition_point(|(held, ..)| *held <= fewest);
            for (held, _, own) in &mut members[..equals] {
                let Some(item) = new.next() else { break };
                own.insert(item.clone());
                *held += 1;
            }
        }
    }
}

fn count(items: &Items, connectors: bool) -> usize {
    items.iter().filter(|item| item.is_connector() == connectors).count()
}
