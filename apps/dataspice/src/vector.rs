//! Three numbers that belong together: km, or km/s.

use std::ops::{Add, Mul, Sub};

/// A vector in the J2000 ecliptic frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Vector {
    /// Towards the equinox of J2000.
    pub(crate) x: f64,
    /// In the ecliptic, 90 degrees ahead of `x`.
    pub(crate) y: f64,
    /// Towards the ecliptic's north pole.
    pub(crate) z: f64,
}

impl Vector {
    pub(crate) const ZERO: Vector = Vector::new(0.0, 0.0, 0.0);

    pub(crate) const fn new(x: f64, y: f64, z: f64) -> Vector {
        Vector { x, y, z }
    }

    pub(crate) fn dot(self, other: Vector) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub(crate) fn cross(self, other: Vector) -> Vector {
        Vector::new(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    pub(crate) fn length(self) -> f64 {
        self.dot(self).sqrt()
    }

    pub(crate) fn distance(self, other: Vector) -> f64 {
        (self - other).length()
    }
}

impl From<[f64; 3]> for Vector {
    fn from([x, y, z]: [f64; 3]) -> Vector {
        Vector::new(x, y, z)
    }
}

impl Add for Vector {
    type Output = Vector;

    fn add(self, other: Vector) -> Vector {
        Vector::new(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl Sub for Vector {
    type Output = Vector;

    fn sub(self, other: Vector) -> Vector {
        Vector::new(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Mul<f64> for Vector {
    type Output = Vector;

    fn mul(self, factor: f64) -> Vector {
        Vector::new(self.x * factor, self.y * factor, self.z * factor)
    }
}
