//! Turns of a vector about the axes, put together.

use std::ops::Mul;

use crate::vector::Vector;

/// The mean obliquity at J2000, in degrees: 84381.448 arcseconds (IAU 1976), by which the data's ecliptic leans on the equator.
pub(crate) const OBLIQUITY: f64 = 84_381.448 / 3600.0;

/// A turn about the origin: the rows of its matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rotation([Vector; 3]);

impl Rotation {
    /// Turns a vector anticlockwise about the x axis.
    pub(crate) fn x(degrees: f64) -> Rotation {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Rotation([
            Vector::new(1.0, 0.0, 0.0),
            Vector::new(0.0, cos, -sin),
            Vector::new(0.0, sin, cos),
        ])
    }

    /// Turns a vector anticlockwise about the y axis.
    pub(crate) fn y(degrees: f64) -> Rotation {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Rotation([
            Vector::new(cos, 0.0, sin),
            Vector::new(0.0, 1.0, 0.0),
            Vector::new(-sin, 0.0, cos),
        ])
    }

    /// Turns a vector anticlockwise about the z axis.
    pub(crate) fn z(degrees: f64) -> Rotation {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Rotation([
            Vector::new(cos, -sin, 0.0),
            Vector::new(sin, cos, 0.0),
            Vector::new(0.0, 0.0, 1.0),
        ])
    }
}

impl Mul<Vector> for Rotation {
    type Output = Vector;

    fn mul(self, vector: Vector) -> Vector {
        let [x, y, z] = self.0.map(|row| row.dot(vector));
        Vector::new(x, y, z)
    }
}

/// The right one first, as in a product of matrices.
impl Mul for Rotation {
    type Output = Rotation;

    fn mul(self, first: Rotation) -> Rotation {
        let [x, y, z] = first.0;
        Rotation(self.0.map(|row| x * row.x + y * row.y + z * row.z))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_one_axis_into_the_next() {
        let [x, y, z] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(Vector::from);
        for (turn, from, to) in [
            (Rotation::x(90.0), y, z),
            (Rotation::y(90.0), z, x),
            (Rotation::z(90.0), x, y),
        ] {
            assert!((turn * from).distance(to) < 1e-15);
        }
    }

    #[test]
    fn a_product_turns_by_its_right_side_first() {
        let v = Vector::new(1.0, 2.0, 3.0);
        let (one, other) = (Rotation::x(20.0), Rotation::z(70.0));
        assert!(((one * other) * v).distance(one * (other * v)) < 1e-14);
        assert!((one * other * v).distance(other * (one * v)) > 0.1);
    }
}
