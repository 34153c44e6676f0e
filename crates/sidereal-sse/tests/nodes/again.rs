//! Topics that go and come again.

use super::*;

/// What looks after the old one is still at it when the new one comes.
#[tokio::test]
async fn a_topic_that_comes_again_at_once_hears_what_is_said() {
    let exchange = Exchange::default();
    let [one, other] = hubs(&exchange).await;
    for number in 0..300 {
        let name = number.to_string();
        drop(other.topic(&*name).subscribe());
        let mut again = follow(&other.topic(&*name)).await;
        say(&one.topic(&*name), "x");
        assert_eq!(texts(&mut again, 1).await, ["x"]);
    }
}
