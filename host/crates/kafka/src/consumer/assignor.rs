//! Who gets which partitions: the assignors of Kafka's consumers, by the names under which members agree on one.
//!
//! `range` and `roundrobin` give what Java's classes give. `sticky` and `cooperative-sticky` keep their rules (as even as
//! subscriptions allow, and as little moved as that allows), by a way of their own: only the leader decides. Racks
//! (KIP-881) are not looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use caisson_model::TopicPartition;

/// An assignor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assignor {
    Range,
    RoundRobin,
    Sticky,
    CooperativeSticky,
}

/// A member, as the leader sees it. Those with a name of their own (static members) come first, in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    pub id: String,
    pub instance: Option<String>,
    pub topics: BTreeSet<String>,
    /// What it has, or had before it gave everything up to join.
    pub owned: Vec<TopicPartition>,
    /// In which generation it was given that.
    pub generation: i32,
}

/// The number of partitions of each topic that is there.
pub(super) type Partitions = BTreeMap<String, i32>;

impl Assignor {
    const ALL: [Assignor; 4] = [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ];

    pub(super) fn of(name: &str) -> Option<Assignor> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// Whether members may keep what they have while they join.
    pub(super) fn is_cooperative(self) -> bool {
        self == Assignor::CooperativeSticky
    }

    /// What each member gets, in the order in which members were given. Each partition of a topic that somebody wants is given
    /// to one member at most, and sorted.
    pub(super) fn assign(self, members: &[Candidate], partitions: &Partitions) -> Vec<Vec<TopicPartition>> {
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by_key(|index| {
            let Candidate { id, instance, .. } = &members[*index];
            (instance.is_none(), instance, id)
        });
        let sorted: Vec<&Candidate> = order.iter().map(|index| &members[*index]).collect();
        let given = match self {
            Assignor::Range => range(&sorted, partitions),
            Assignor::RoundRobin => round_robin(&sorted, partitions),
            Assignor::Sticky => sticky(&sorted, partitions),
            Assignor::CooperativeSticky => cooperative(&sorted, partitions),
        };
        let mut assignments = vec![Vec::new(); members.len()];
        for (index, mut given) in order.into_iter().zip(given) {
            given.sort();
            assignments[index] = given;
        }
        assignments
    }
}

/// Of each topic, a run of partitions that follow each other; the first members get one more if they do not divide.
fn range(members: &[&Candidate], partitions: &Partitions) -> Vec<Vec<TopicPartition>> {
    let mut given = vec![Vec::new(); members.len()];
    for (topic, count) in partitions {
        let wanting: Vec<usize> = wanting(members, topic).collect();
        let among = i32::try_from(wanting.len()).unwrap_or(i32::MAX).max(1);
        let mut next = 0;
        for (place, member) in (0..).zip(wanting) {
            let size = count / among + i32::from(place < count % among);
            given[member].extend((next..next + size).map(|number| TopicPartition::new(topic.as_str(), number)));
            next += size;
        }
    }
    given
}

/// Partition after partition, member after member.
fn round_robin(members: &[&Candidate], partitions: &Partitions) -> Vec<Vec<TopicPartition>> {
    let mut given = vec![Vec::new(); members.len()];
    let mut turn = 0;
    for partition in all(partitions) {
        let from_turn = (0..members.len()).map(|step| (turn + step) % members.len());
        let mut wanting = from_turn.filter(|index| members[*index].topics.contains(&*partition.topic));
        if let Some(member) = wanting.next() {
            turn = member + 1;
            given[member].push(partition);
        }
    }
    given
}

/// Everybody keeps what was its own, as far as nobody gets two fewer than another one who could have it.
fn sticky(members: &[&Candidate], partitions: &Partitions) -> Vec<Vec<TopicPartition>> {
    let owners = owners(members, partitions);
    let mut counts = vec![0_usize; members.len()];
    let mut places: Vec<(TopicPartition, Option<usize>)> = Vec::new();
    for partition in all(partitions) {
        let owner = owners.get(&partition).copied();
        if let Some(owner) = owner {
            counts[owner] += 1;
        }
        places.push((partition, owner));
    }
    let least = |topic: &str, counts: &[usize]| wanting(members, topic).min_by_key(|member| (counts[*member], *member));
    // Whoever has few to choose from goes first.
    let mut free: Vec<usize> = (0..places.len()).filter(|index| places[*index].1.is_none()).collect();
    free.sort_by_key(|index| wanting(members, &places[*index].0.topic).count());
    for index in free {
        let (partition, owner) = &mut places[index];
        *owner = least(&partition.topic, &counts);
        if let Some(owner) = *owner {
            counts[owner] += 1;
        }
    }
    // Every move makes the counts more even, so there is an end to it.
    let mut moved = true;
    while std::mem::take(&mut moved) {
        for (partition, owner) in places.iter_mut().rev() {
            let Some(from) = *owner else { continue };
            let Some(to) = least(&partition.topic, &counts) else {
                continue;
            };
            if counts[from] >= counts[to] + 2 {
                counts[from] -= 1;
                counts[to] += 1;
                *owner = Some(to);
                moved = true;
            }
        }
    }
    let mut given = vec![Vec::new(); members.len()];
    for (partition, owner) in places {
        if let Some(owner) = owner {
            given[owner].push(partition);
        }
    }
    given
}

/// As [`sticky`], but what another member still has is given to nobody yet: who has it gives it up first, and joins again.
fn cooperative(members: &[&Candidate], partitions: &Partitions) -> Vec<Vec<TopicPartition>> {
    let mut given = sticky(members, partitions);
    let claims = claims(members);
    for (index, given) in given.iter_mut().enumerate() {
        given.retain(|partition| {
            let claim = claims.get(partition);
            claim.is_none_or(|claim| claim.members.iter().all(|member| *member == index))
        });
    }
    given
}

/// Who says that a partition is its own, of the newest generation in which somebody was given it.
struct Claim {
    generation: i32,
    members: Vec<usize>,
}

fn claims<'a>(members: &[&'a Candidate]) -> HashMap<&'a TopicPartition, Claim> {
    let mut claims: HashMap<&TopicPartition, Claim> = HashMap::new();
    for (index, member) in members.iter().enumerate() {
        let generation = member.generation;
        for partition in &member.owned {
            let claim = claims.entry(partition).or_insert_with(|| Claim {
                generation,
                members: Vec::new(),
            });
            if claim.generation < generation {
                (claim.generation, claim.members) = (generation, Vec::new());
            }
            if claim.generation == generation && claim.members.last() != Some(&index) {
                claim.members.push(index);
            }
        }
    }
    claims
}

/// The one owner of each partition that is there and that it wants; two who claim one in the same generation both lose it.
fn owners(members: &[&Candidate], partitions: &Partitions) -> HashMap<TopicPartition, usize> {
    let is_there = |partition: &TopicPartition| {
        let count = partitions.get(&*partition.topic).copied().unwrap_or(0);
        (0..count).contains(&partition.partition)
    };
    let mut owners = HashMap::new();
    for (partition, claim) in claims(members) {
        if let [owner] = claim.members[..]
            && is_there(partition)
            && members[owner].topics.contains(&*partition.topic)
        {
            owners.insert(partition.clone(), owner);
        }
    }
    owners
}

fn wanting<'a>(members: &'a [&Candidate], topic: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..members.len()).filter(move |index| members[*index].topics.contains(topic))
}

fn all(partitions: &Partitions) -> impl Iterator<Item = TopicPartition> + '_ {
    let of_topic = |(topic, count): (&String, &i32)| {
        let topic: std::sync::Arc<str> = topic.as_str().into();
        (0..*count).map(move |number| TopicPartition {
            topic: topic.clone(),
            partition: number,
        })
    };
    partitions.iter().flat_map(of_topic)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(id: &str, topics: &[&str]) -> Candidate {
        Candidate {
            id: id.to_owned(),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            generation: -1,
            ..Candidate::default()
        }
    }

    fn partitions(counts: &[(&str, i32)]) -> Partitions {
        let owned = |(topic, count): &(&str, i32)| ((*topic).to_owned(), *count);
        counts.iter().map(owned).collect()
    }

    fn shown(given: &[Vec<TopicPartition>]) -> Vec<String> {
        let one = |given: &Vec<TopicPartition>| given.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        given.iter().map(one).collect()
    }

    /// The examples of the documentation of Java's classes.
    #[test]
    fn ranges_and_turns_are_those_of_java() {
        let members = [member("C1", &["t0", "t1"]), member("C0", &["t0", "t1"])];
        let three = partitions(&[("t0", 3), ("t1", 3)]);
        let range = Assignor::Range.assign(&members, &three);
        assert_eq!(shown(&range), ["t0-2 t1-2", "t0-0 t0-1 t1-0 t1-1"]);
        let turns = Assignor::RoundRobin.assign(&members, &three);
        assert_eq!(shown(&turns), ["t0-1 t1-0 t1-2", "t0-0 t0-2 t1-1"]);
        // Three members that want different topics.
        let members = [
            member("C0", &["t0"]),
            member("C1", &["t0", "t1"]),
            member("C2", &["t0", "t1", "t2"]),
        ];
        let some = partitions(&[("t0", 1), ("t1", 2), ("t2", 3)]);
        let turns = Assignor::RoundRobin.assign(&members, &some);
        assert_eq!(shown(&turns), ["t0-0", "t1-0", "t1-1 t2-0 t2-1 t2-2"]);
        let sticky = Assignor::Sticky.assign(&members, &some);
        assert_eq!(shown(&sticky), ["t0-0", "t1-0 t1-1", "t2-0 t2-1 t2-2"]);
    }

    #[test]
    fn static_members_are_sorted_by_their_names() {
        let named = |id: &str, name: &str| Candidate {
            instance: Some(name.to_owned()),
            ..member(id, &["t"])
        };
        let members = [member("0", &["t"]), named("9", "a"), named("8", "b")];
        let given = Assignor::Range.assign(&members, &partitions(&[("t", 3)]));
        assert_eq!(shown(&given), ["t-2", "t-0", "t-1"]);
    }

    #[test]
    fn what_moves_is_free_before_it_is_given() {
        let mut first = member("a", &["t"]);
        first.owned = (0..4).map(|number| TopicPartition::new("t", number)).collect();
        first.generation = 3;
        let mut members = [first, member("b", &["t"])];
        let there = partitions(&[("t", 4)]);
        let given = Assignor::CooperativeSticky.assign(&members, &there);
        assert_eq!(shown(&given), ["t-0 t-1", ""]);
        members[0].owned.truncate(2);
        members[0].generation = 4;
        let given = Assignor::CooperativeSticky.assign(&members, &there);
        assert_eq!(shown(&given), ["t-0 t-1", "t-2 t-3"]);
        // What a member that was away long claims is nobody's.
        members[1].owned = vec![TopicPartition::new("t", 0)];
        members[1].generation = 2;
        let given = Assignor::CooperativeSticky.assign(&members, &there);
        assert_eq!(shown(&given), ["t-0 t-1", "t-2 t-3"]);
    }

    fn group() -> impl Strategy<Value = (Vec<Candidate>, Partitions)> {
        let owned = proptest::collection::vec((0..4_usize, 0..9_i32), 0..12);
        let one = (proptest::collection::btree_set(0..4_usize, 0..4), owned, -1..4_i32);
        let counts = proptest::collection::btree_map(0..4_usize, 0..8_i32, 0..4);
        (proptest::collection::vec(one, 1..7), counts).prop_map(|(members, counts)| {
            let topic = |number: usize| format!("t{number}");
            let members = members
                .into_iter()
                .enumerate()
                .map(|(index, (topics, owned, generation))| Candidate {
                    id: format!("m{index}"),
                    instance: None,
                    topics: topics.into_iter().map(topic).collect(),
                    owned: owned
                        .into_iter()
                        .map(|(number, partition)| TopicPartition::new(topic(number), partition))
                        .collect(),
                    generation,
                });
            let counts = counts.into_iter().map(|(number, count)| (topic(number), count));
            (members.collect(), counts.collect())
        })
    }

    /// What members have in the end. Where they may keep what they have while they join, each gives up what it was not given,
    /// and what comes free may move others.
    fn settled(assignor: Assignor, members: &mut [Candidate], there: &Partitions) -> Vec<Vec<TopicPartition>> {
        let mut given = assignor.assign(members, there);
        if assignor.is_cooperative() {
            for generation in 9..9 + ROUNDS {
                for (member, given) in members.iter_mut().zip(&given) {
                    (member.owned, member.generation) = (given.clone(), generation);
                }
                let before = std::mem::replace(&mut given, assignor.assign(members, there));
                if given == before {
                    break;
                }
            }
        }
        given
    }

    const ROUNDS: i32 = 8;

    #[test]
    fn what_comes_free_may_move_others() {
        let mut members = [
            member("a", &["t0", "t2"]),
            member("b", &["t2"]),
            // It has what it does not want any more.
            member("c", &["t0"]),
        ];
        members[2].owned = vec![TopicPartition::new("t2", 0)];
        let there = partitions(&[("t0", 5), ("t2", 7)]);
        let given = settled(Assignor::CooperativeSticky, &mut members, &there);
        let counts: Vec<usize> = given.iter().map(Vec::len).collect();
        assert_eq!((counts.iter().sum::<usize>(), counts.iter().max()), (12, Some(&4)));
    }

    proptest! {
        /// Whatever members claim: everything that somebody wants is given, once, to somebody who wants it; the sticky ones are
        /// even; and asked again with what it gave, nothing moves any more.
        #[test]
        fn everything_is_given_once_to_who_wants_it((members, there) in group()) {
            for assignor in Assignor::ALL {
                let mut members = members.clone();
                let given = settled(assignor, &mut members, &there);
                let mut all_given: Vec<&TopicPartition> = given.iter().flatten().collect();
                all_given.sort();
                let wanted = |topic: &str| members.iter().any(|member| member.topics.contains(topic));
                let expected: Vec<TopicPartition> = all(&there).filter(|one| wanted(&one.topic)).collect();
                prop_assert_eq!(all_given, expected.iter().collect::<Vec<_>>(), "{:?}", assignor);
                for (member, own) in members.iter().zip(&given) {
                    prop_assert!(own.iter().all(|one| member.topics.contains(&*one.topic)));
                }
                if matches!(assignor, Assignor::Sticky | Assignor::CooperativeSticky) {
                    for own in &given {
                        for (other, others) in members.iter().zip(&given) {
                            let could_go = own.iter().any(|one| other.topics.contains(&*one.topic));
                            prop_assert!(!could_go || own.len() <= others.len() + 1);
                        }
                    }
                    for (member, given) in members.iter_mut().zip(&given) {
                        member.owned = given.clone();
                        member.generation = 9 + ROUNDS;
                    }
                    prop_assert_eq!(assignor.assign(&members, &there), given);
                }
            }
        }
    }
}
