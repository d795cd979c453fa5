//! The points of metrics, of whatever kind.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, SummaryDataPoint, metric::Data,
};

/// A point of a metric.
#[derive(Debug, Clone)]
pub(crate) enum Point {
    Number(NumberDataPoint),
    Histogram(HistogramDataPoint),
    Exponential(ExponentialHistogramDataPoint),
    Summary(SummaryDataPoint),
}

/// How many points there are.
pub(crate) fn count(data: &Data) -> usize {
    match data {
        Data::Gauge(data) => data.data_points.len(),
        Data::Sum(data) => data.data_points.len(),
        Data::Histogram(data) => data.data_points.len(),
        Data::ExponentialHistogram(data) => data.data_points.len(),
        Data::Summary(data) => data.data_points.len(),
    }
}

/// The attributes of each point.
pub(crate) fn attributes(data: &Data) -> Box<dyn Iterator<Item = &[KeyValue]> + '_> {
    match data {
        Data::Gauge(data) => Box::new(data.data_points.iter().map(|point| &*point.attributes)),
        Data::Sum(data) => Box::new(data.data_points.iter().map(|point| &*point.attributes)),
        Data::Histogram(data) => Box::new(data.data_points.iter().map(|point| &*point.attributes)),
        Data::ExponentialHistogram(data) => Box::new(data.data_points.iter().map(|point| &*point.attributes)),
        Data::Summary(data) => Box::new(data.data_points.iter().map(|point| &*point.attributes)),
    }
}

/// Changes the attributes of each point.
pub(crate) fn each_attributes(data: &mut Data, mut change: impl FnMut(&mut Vec<KeyValue>)) {
    match data {
        Data::Gauge(data) => data.data_points.iter_mut().for_each(|point| change(&mut point.attributes)),
        Data::Sum(data) => data.data_points.iter_mut().for_each(|point| change(&mut point.attributes)),
        Data::Histogram(data) => data.data_points.iter_mut().for_each(|point| change(&mut point.attributes)),
        Data::ExponentialHistogram(data) => {
            data.data_points.iter_mut().for_each(|point| change(&mut point.attributes));
        }
        Data::Summary(data) => data.data_points.iter_mut().for_each(|point| change(&mut point.attributes)),
    }
}

/// Takes a point out, where there is one; an empty one stays in its place.
pub(crate) fn take(data: &mut Data, at: usize) -> Option<Point> {
    match data {
        Data::Gauge(data) => data.data_points.get_mut(at).map(std::mem::take).map(Point::Number),
        Data::Sum(data) => data.data_points.get_mut(at).map(std::mem::take).map(Point::Number),
        Data::Histogram(data) => data.data_points.get_mut(at).map(std::mem::take).map(Point::Histogram),
        Data::ExponentialHistogram(data) => data.data_points.get_mut(at).map(std::mem::take).map(Point::Exponential),
        Data::Summary(data) => data.data_points.get_mut(at).map(std::mem::take).map(Point::Summary),
    }
}

/// Puts a point back to its place.
pub(crate) fn put(data: &mut Data, at: usize, point: Point) {
    fn put<T>(all: &mut [T], at: usize, point: T) {
        if let Some(place) = all.get_mut(at) {
            *place = point;
        }
    }
    match (data, point) {
        (Data::Gauge(data), Point::Number(point)) => put(&mut data.data_points, at, point),
        (Data::Sum(data), Point::Number(point)) => put(&mut data.data_points, at, point),
        (Data::Histogram(data), Point::Histogram(point)) => put(&mut data.data_points, at, point),
        (Data::ExponentialHistogram(data), Point::Exponential(point)) => put(&mut data.data_points, at, point),
        (Data::Summary(data), Point::Summary(point)) => put(&mut data.data_points, at, point),
        _ => {}
    }
}

/// Removes the points that are not to stay.
pub(crate) fn retain(data: &mut Data, stays: &[bool]) {
    fn retain<T>(all: &mut Vec<T>, stays: &[bool]) {
        let mut stays = stays.iter();
        all.retain(|_| stays.next().copied().unwrap_or(true));
    }
    match data {
        Data::Gauge(data) => retain(&mut data.data_points, stays),
        Data::Sum(data) => retain(&mut data.data_points, stays),
        Data::Histogram(data) => retain(&mut data.data_points, stays),
        Data::ExponentialHistogram(data) => retain(&mut data.data_points, stays),
        Data::Summary(data) => retain(&mut data.data_points, stays),
    }
}

/// Removes all points.
pub(crate) fn clear(data: &mut Data) {
    retain(data, &vec![false; count(data)]);
}

/// Makes the points of one metric those of another; says whether they are of its kind.
pub(crate) fn copy(from: Data, to: &mut Data) -> bool {
    match (from, to) {
        (Data::Gauge(from), Data::Gauge(to)) => to.data_points = from.data_points,
        (Data::Gauge(from), Data::Sum(to)) => to.data_points = from.data_points,
        (Data::Sum(from), Data::Gauge(to)) => to.data_points = from.data_points,
        (Data::Sum(from), Data::Sum(to)) => to.data_points = from.data_points,
        (Data::Histogram(from), Data::Histogram(to)) => to.data_points = from.data_points,
        (Data::ExponentialHistogram(from), Data::ExponentialHistogram(to)) => to.data_points = from.data_points,
        (Data::Summary(from), Data::Summary(to)) => to.data_points = from.data_points,
        _ => return false,
    }
    true
}

// === impl Point ===

impl Point {
    pub(crate) fn attributes(&self) -> &[KeyValue] {
        match self {
            Self::Number(point) => &point.attributes,
            Self::Histogram(point) => &point.attributes,
            Self::Exponential(point) => &point.attributes,
            Self::Summary(point) => &point.attributes,
        }
    }

    pub(crate) fn attributes_mut(&mut self) -> &mut Vec<KeyValue> {
        match self {
            Self::Number(point) => &mut point.attributes,
            Self::Histogram(point) => &mut point.attributes,
            Self::Exponential(point) => &mut point.attributes,
            Self::Summary(point) => &mut point.attributes,
        }
    }

    /// When it begins and when it was taken.
    pub(crate) fn times(&self) -> (u64, u64) {
        match self {
            Self::Number(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Self::Histogram(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Self::Exponential(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Self::Summary(point) => (point.start_time_unix_nano, point.time_unix_nano),
        }
    }

    pub(crate) fn times_mut(&mut self) -> (&mut u64, &mut u64) {
        match self {
            Self::Number(point) => (&mut point.start_time_unix_nano, &mut point.time_unix_nano),
            Self::Histogram(point) => (&mut point.start_time_unix_nano, &mut point.time_unix_nano),
            Self::Exponential(point) => (&mut point.start_time_unix_nano, &mut point.time_unix_nano),
            Self::Summary(point) => (&mut point.start_time_unix_nano, &mut point.time_unix_nano),
        }
    }

    pub(crate) fn flags(&self) -> u32 {
        match self {
            Self::Number(point) => point.flags,
            Self::Histogram(point) => point.flags,
            Self::Exponential(point) => point.flags,
            Self::Summary(point) => point.flags,
        }
    }

    pub(crate) fn flags_mut(&mut self) -> &mut u32 {
        match self {
            Self::Number(point) => &mut point.flags,
            Self::Histogram(point) => &mut point.flags,
            Self::Exponential(point) => &mut point.flags,
            Self::Summary(point) => &mut point.flags,
        }
    }

    /// Summaries have none.
    pub(crate) fn exemplars(&self) -> Option<&[Exemplar]> {
        match self {
            Self::Number(point) => Some(&point.exemplars),
            Self::Histogram(point) => Some(&point.exemplars),
            Self::Exponential(point) => Some(&point.exemplars),
            Self::Summary(_) => None,
        }
    }

    pub(crate) fn exemplars_mut(&mut self) -> Option<&mut Vec<Exemplar>> {
        match self {
            Self::Number(point) => Some(&mut point.exemplars),
            Self::Histogram(point) => Some(&mut point.exemplars),
            Self::Exponential(point) => Some(&mut point.exemplars),
            Self::Summary(_) => None,
        }
    }

    /// How many values it stands for; numbers stand for themselves.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Number(_) => None,
            Self::Histogram(point) => Some(point.count),
            Self::Exponential(point) => Some(point.count),
            Self::Summary(point) => Some(point.count),
        }
    }
}
