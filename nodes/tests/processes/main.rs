//! A hub on several nodes as it is meant to be used: nodes that are processes, real brokers, and whatever can happen to
//! either of them and to the network in between.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;
mod cluster;
mod network;
mod node;
mod order;
mod people;
mod secrets;
mod views;

/// A test with each broker.
macro_rules! with_both {
    ($($(#[$attribute:meta])* $file:ident::$test:ident,)*) => {
        mod nats {
            $(
                $(#[$attribute])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$file::$test(nodes::Kind::Nats).await;
                }
            )*
        }

        mod redis {
            $(
                $(#[$attribute])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$file::$test(nodes::Kind::Redis).await;
                }
            )*
        }
    };
}

with_both! {
    order::viewers_on_all_nodes_see_the_same,
    node::viewers_of_killed_nodes_miss_nothing_of_a_log,
    node::viewers_of_killed_nodes_miss_nothing_of_several_logs,
    node::a_node_that_stood_still_for_a_minute_comes_back,
    broker::a_killed_broker_loses_nothing_that_was_taken,
    broker::a_broker_that_stands_still_loses_nothing_that_was_taken,
    network::a_node_that_hears_nothing_knows_it,
    network::a_node_that_is_not_heard_knows_it,
    network::messages_twice_late_and_in_another_order_change_nothing,
    network::messages_that_do_not_come_are_missed,
    views::all_nodes_show_the_newest_state,
    people::who_is_there_is_known_on_all_nodes,
    people::a_client_of_another_node_can_be_reached,
    secrets::no_output_has_the_password,
}
