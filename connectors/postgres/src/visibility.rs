//! Which transactions a snapshot has seen, so that the stream does not tell of them again.

/// A snapshot as the server writes it: `xmin:xmax:xip,xip`, numbers of 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    xmin: u64,
    xmax: u64,
    running: Vec<u64>,
}

impl Visibility {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let xmin = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let running = parts
            .next()
            .unwrap_or_default()
            .split(',')
            .filter(|xid| !xid.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        Some(Visibility { xmin, xmax, running })
    }

    /// Whether the snapshot has the changes of a transaction, of whose number the stream tells the low 32 bits.
    pub fn sees(&self, xid: u32) -> bool {
        // The number next to that of the snapshot: transactions live for less than two billion others.
        let near = self.xmax;
        let base = near & !0xffff_ffff | u64::from(xid);
        let full = if base > near && base - near > 1 << 31 {
            base.saturating_sub(1 << 32)
        } else if near > base && near - base > 1 << 31 {
            base + (1 << 32)
        } else {
            base
        };
        full < self.xmin || (full < self.xmax && !self.running.contains(&full))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_ran_or_came_later_is_not_seen() {
        let seen = Visibility::parse("10:20:12,15").unwrap();
        for (xid, sees) in [
            (9, true),
            (10, true),
            (12, false),
            (13, true),
            (15, false),
            (19, true),
            (20, false),
            (4_000_000_000, true),
        ] {
            assert_eq!(seen.sees(xid), sees, "{xid}");
        }
        // Beyond the first four billion.
        let later = Visibility::parse("4294967300:4294967310:").unwrap();
        assert!(later.sees(3));
        assert!(later.sees(4_294_967_290));
        assert!(!later.sees(20));
        assert_eq!(Visibility::parse("x"), None);
        assert_eq!(Visibility::parse("1:2:z"), None);
    }
}
