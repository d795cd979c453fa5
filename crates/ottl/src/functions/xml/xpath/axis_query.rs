//! Steps along an axis.

use std::collections::HashSet;

use super::super::tree::Tree;
use super::navigate::Position;
use super::parse::Test;
use super::plan::Axis;
use super::query::{Query, Result, Run};

/// A step along an axis from each node of another query.
pub(super) struct AxisQuery<'r> {
    pub(super) axis: Axis,
    test: &'r Test,
    input: Query<'r>,
    /// Where it is on its way from one of those nodes.
    at: Option<Position>,
    first: bool,
    pub(super) level: usize,
    pub(super) position: usize,
    seen: HashSet<Position>,
    /// What lies below a node that follows or precedes.
    below: Option<Box<AxisQuery<'r>>>,
}

// === impl AxisQuery ===

impl<'r> AxisQuery<'r> {
    pub(super) fn new(axis: Axis, test: &'r Test, input: Query<'r>) -> Self {
        Self { axis, test, input, at: None, first: true, level: 0, position: 0, seen: HashSet::new(), below: None }
    }

    pub(super) fn reset(&mut self, run: &mut Run<'r>) -> Result<()> {
        self.input.evaluate(run)?;
        match self.axis {
            Axis::Following { .. } | Axis::Preceding { .. } | Axis::DescendantOverDescendant { .. } => {}
            _ => self.at = None,
        }
        self.seen.clear();
        Ok(())
    }

    fn fits(&self, at: Position, run: &Run<'_>) -> bool {
        at.fits(self.test, run.tree)
    }

    pub(super) fn select(&mut self, run: &mut Run<'r>) -> Result<Option<Position>> {
        match self.axis {
            Axis::Itself => return self.itself(run),
            Axis::Parent => return self.parent(run),
            Axis::DescendantOverDescendant { or_self } => return self.over_descendants(run, or_self),
            _ => {}
        }
        loop {
            if self.at.is_none() {
                let Some(start) = self.input.select(run)? else { return Ok(None) };
                self.at = Some(start);
                self.first = true;
                self.level = 0;
                self.position = 0;
                self.below = None;
            }
            let Some(mut at) = self.at else { return Ok(None) };
            let found = match self.axis {
                Axis::Ancestor { or_self } => self.ancestor(run, &mut at, or_self)?,
                Axis::Attribute => self.until(run, &mut at, |at, tree, _| at.go_next_attribute(tree))?,
                Axis::Child => {
                    self.until(run, &mut at, |at, tree, first| if first { at.go_down(tree) } else { at.go_on(tree) })?
                }
                Axis::Following { sibling: true } => self.until(run, &mut at, |at, tree, _| at.go_on(tree))?,
                Axis::Preceding { sibling: true } => self.until(run, &mut at, |at, tree, _| at.go_back(tree))?,
                Axis::Descendant { or_self } => self.descendant(run, &mut at, or_self)?,
                Axis::Following { .. } => self.beside(run, &mut at, true)?,
                _ => self.beside(run, &mut at, false)?,
            };
            self.at = Some(at);
            match found {
                Some(found) => return Ok(Some(found)),
                None => self.at = None,
            }
        }
    }

    /// Moves on until a node fits.
    fn until(
        &mut self,
        run: &mut Run<'r>,
        at: &mut Position,
        to_next: fn(&mut Position, &Tree, bool) -> bool,
    ) -> Result<Option<Position>> {
        while to_next(at, run.tree, std::mem::take(&mut self.first)) {
            run.step()?;
            if self.fits(*at, run) {
                self.position += 1;
                return Ok(Some(*at));
            }
        }
        Ok(None)
    }

    fn ancestor(&mut self, run: &mut Run<'r>, at: &mut Position, or_self: bool) -> Result<Option<Position>> {
        loop {
            run.step()?;
            let candidate = if std::mem::take(&mut self.first) {
                or_self
            } else if at.go_up(run.tree) {
                true
            } else {
                return Ok(None);
            };
            if candidate && self.fits(*at, run) && self.seen.insert(*at) {
                self.position += 1;
                return Ok(Some(*at));
            }
        }
    }

    fn descendant(&mut self, run: &mut Run<'r>, at: &mut Position, or_self: bool) -> Result<Option<Position>> {
        if std::mem::take(&mut self.first) && or_self && self.fits(*at, run) {
            self.position += 1;
            return Ok(Some(*at));
        }
        loop {
            run.step()?;
            if at.go_down(run.tree) {
                self.level += 1;
            } else {
                loop {
                    if self.level == 0 {
                        return Ok(None);
                    }
                    if at.go_on(run.tree) {
                        break;
                    }
                    at.go_up(run.tree);
                    self.level -= 1;
                    run.step()?;
                }
            }
            if self.fits(*at, run) {
                self.position += 1;
                return Ok(Some(*at));
            }
        }
    }

    /// Below the nodes that follow or precede, and those themselves.
    fn beside(&mut self, run: &mut Run<'r>, at: &mut Position, following: bool) -> Result<Option<Position>> {
        loop {
            run.step()?;
            if let Some(below) = &mut self.below {
                if let Some(found) = below.select(run)? {
                    self.position = if following { below.position } else { self.position + 1 };
                    return Ok(Some(found));
                }
                self.below = None;
            }
            loop {
                run.step()?;
                if if following { at.go_on(run.tree) } else { at.go_back(run.tree) } {
                    break;
                }
                if !at.go_up(run.tree) {
                    return Ok(None);
                }
                if !following {
                    self.position = 0;
                }
            }
            let axis = Axis::Descendant { or_self: true };
            self.below = Some(Box::new(Self::new(axis, self.test, Query::Context { done: false })));
            run.current = *at;
        }
    }

    fn itself(&mut self, run: &mut Run<'r>) -> Result<Option<Position>> {
        while let Some(at) = self.input.select(run)? {
            if self.fits(at, run) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn parent(&mut self, run: &mut Run<'r>) -> Result<Option<Position>> {
        while let Some(mut at) = self.input.select(run)? {
            if at.go_up(run.tree) && self.fits(at, run) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn over_descendants(&mut self, run: &mut Run<'r>, or_self: bool) -> Result<Option<Position>> {
        loop {
            run.step()?;
            let mut at = match self.at.filter(|_| self.level > 0) {
                None => {
                    let Some(start) = self.input.select(run)? else { return Ok(None) };
                    self.at = Some(start);
                    self.position = 0;
                    if or_self && self.fits(start, run) {
                        self.position = 1;
                        return Ok(self.at);
                    }
                    let mut at = start;
                    self.level += usize::from(at.go_down(run.tree));
                    at
                }
                Some(mut at) => {
                    let mut found = true;
                    while !at.go_on(run.tree) {
                        run.step()?;
                        self.level -= 1;
                        if self.level == 0 {
                            found = false;
                            break;
                        }
                        at.go_up(run.tree);
                    }
                    self.at = Some(at);
                    if !found {
                        continue;
                    }
                    at
                }
            };
            loop {
                run.step()?;
                self.at = Some(at);
                if self.fits(at, run) {
                    self.position += 1;
                    return Ok(self.at);
                }
                if !at.go_down(run.tree) {
                    break;
                }
                self.level += 1;
            }
        }
    }
}
