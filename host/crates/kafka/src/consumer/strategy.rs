//! The assignors that a member offers (`partition.assignment.strategy`), what it says of itself to each of them, and what it
//! does with the others' words when it leads.

use caisson_model::TopicPartition;

use super::assignor::{Assignor, Candidate, Partitions};
use super::protocol::{Wish, read_previous, write_assignment, write_previous};
use crate::error::Error;
use crate::group::{Leading, MemberAssignment, MemberMetadata, Subprotocol};
use crate::settings::ClientSettings;

/// librdkafka's name and Kafka's.
const SETTING: &str = "partition.assignment.strategy";

/// The assignors, the one first that is preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strategy {
    assignors: Vec<Assignor>,
    rack: Option<String>,
}

/// What a member has, or had before it gave it up to join.
pub(super) struct Owned<'a> {
    pub partitions: &'a [TopicPartition],
    pub previous: &'a [TopicPartition],
    /// In which generation it was given them; -1 for none.
    pub generation: i32,
}

impl Strategy {
    pub(super) fn of(settings: &ClientSettings) -> Result<Strategy, Error> {
        let names = settings.native(SETTING).unwrap_or_default();
        let wrong = |reason: String| Error::Setting {
            name: SETTING.to_owned(),
            reason,
        };
        let find = |name: &str| Assignor::of(name).ok_or_else(|| wrong(format!("there is no assignor {name}")));
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let assignors = names.map(find).collect::<Result<Vec<_>, _>>()?;
        if assignors.is_empty() {
            return Err(wrong("no assignor is named".to_owned()));
        }
        Ok(Strategy {
            assignors,
            rack: settings
                .native("client.rack")
                .filter(|rack| !rack.is_empty())
                .map(str::to_owned),
        })
    }

    /// Whether the member keeps what it has while it joins. As in Java's consumer, one eager assignor makes it eager.
    pub(super) fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|assignor| assignor.is_cooperative())
    }

    /// What the member says of itself.
    pub(super) fn subprotocols(&self, topics: &[String], owned: &Owned<'_>) -> Vec<Subprotocol> {
        let of_assignor = |assignor: &Assignor| {
            let user_data = match assignor {
                Assignor::Range | Assignor::RoundRobin => None,
                Assignor::Sticky => Some(write_previous(owned.previous, owned.generation)),
                // For leaders that do not read the generation that stands beside it.
                Assignor::CooperativeSticky => Some(owned.generation.to_be_bytes().to_vec()),
            };
            let wish = Wish {
                topics: topics.to_vec(),
                user_data,
                owned: owned.partitions.to_vec(),
                generation: owned.generation,
                rack: self.rack.clone(),
            };
            Subprotocol::new(assignor.name(), wish.write())
        };
        self.assignors.iter().map(of_assignor).collect()
    }
}

/// A generation that this member leads.
pub(super) struct Led {
    assignor: Assignor,
    candidates: Vec<Candidate>,
}

impl Led {
    /// None if the group has chosen what was not offered. Members whose words cannot be read are left without a part.
    pub(super) fn of(leading: &Leading) -> Option<Led> {
        let assignor = Assignor::of(&leading.protocol)?;
        let candidates = leading.members.iter().filter_map(|member| candidate(assignor, member));
        Some(Led {
            assignor,
            candidates: candidates.collect(),
        })
    }

    /// The topics that somebody wants.
    pub(super) fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self
            .candidates
            .iter()
            .flat_map(|one| one.topics.iter().cloned())
            .collect();
        topics.sort();
        topics.dedup();
        topics
    }

    pub(super) fn assign(&self, partitions: &Partitions) -> Vec<MemberAssignment> {
        let given = self.assignor.assign(&self.candidates, partitions);
        let assignment = |(candidate, given): (&Candidate, Vec<TopicPartition>)| MemberAssignment {
            member_id: candidate.id.clone(),
            assignment: write_assignment(&given),
        };
        self.candidates.iter().zip(given).map(assignment).collect()
    }
}

fn candidate(assignor: Assignor, member: &MemberMetadata) -> Option<Candidate> {
    let id = &member.member_id;
    let wish = Wish::read(&member.metadata);
    let wish = wish.inspect_err(|error| {
        tracing::warn!(target: "kafka", member = id, %error, "a member of the group cannot be understood and gets no partitions");
    });
    let mut wish = wish.ok()?;
    if assignor == Assignor::Sticky {
        // It has given up what it had, and says so here alone.
        let previous = wish.user_data.as_deref().and_then(|data| read_previous(data).ok());
        (wish.owned, wish.generation) = previous.unwrap_or_default();
    }
    Some(Candidate {
        id: id.clone(),
        instance: member.instance.clone(),
        topics: wish.topics.into_iter().collect(),
        owned: wish.owned,
        generation: wish.generation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layer, Properties};

    fn strategy(java: &str) -> Result<Strategy, Error> {
        let given = [("bootstrap.servers", "x:1"), ("group.id", "g"), (SETTING, java)];
        let given: Properties = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Strategy::of(&ClientSettings::consumer(&[Layer::Client(&given)]).unwrap())
    }

    #[test]
    fn one_eager_assignor_makes_a_member_eager() {
        let range = "org.apache.kafka.clients.consumer.RangeAssignor";
        let cooperative = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
        assert!(!strategy(&format!("{range},{cooperative}")).unwrap().is_cooperative());
        assert!(strategy(cooperative).unwrap().is_cooperative());
        let names = |strategy: &Strategy| strategy.assignors.iter().map(|one| one.name()).collect::<Vec<_>>();
        let both = strategy(&format!("{cooperative}, {range}")).unwrap();
        assert_eq!(
            names(&both),
            ["cooperative-sticky", "range"],
            "in the order that is wished for"
        );
    }

    #[test]
    fn a_leader_shares_out_what_members_said() {
        let sticky = strategy("org.apache.kafka.clients.consumer.StickyAssignor").unwrap();
        let had = [TopicPartition::new("t", 0)];
        let owned = |previous| Owned {
            partitions: &[],
            previous,
            generation: 2,
        };
        let said = |id: &str, previous| MemberMetadata {
            member_id: id.to_owned(),
            instance: None,
            metadata: sticky.subprotocols(&["t".to_owned()], &owned(previous))[0]
                .metadata
                .clone(),
        };
        let garbage = MemberMetadata {
            member_id: "x".to_owned(),
            instance: None,
            metadata: vec![0, 1, 0, 0],
        };
        let (leading, _asked) = leading("sticky", vec![said("a", &[]), garbage, said("b", &had)]);
        let led = Led::of(&leading).unwrap();
        assert_eq!(led.topics(), ["t"]);
        let assigned = led.assign(&[("t".to_owned(), 2)].into());
        let expected = [("a", 1), ("b", 0)].map(|(id, number)| MemberAssignment {
            member_id: id.to_owned(),
            assignment: write_assignment(&[TopicPartition::new("t", number)]),
        });
        assert_eq!(assigned, expected);
        assert!(Led::of(&super::tests::leading("unknown", Vec::new()).0).is_none());
    }

    type Asked = tokio::sync::oneshot::Receiver<Vec<MemberAssignment>>;

    fn leading(protocol: &str, members: Vec<MemberMetadata>) -> (Leading, Asked) {
        Leading::for_tests(protocol, members)
    }
}
