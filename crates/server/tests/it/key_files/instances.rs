//! Several instances on one database, each with a folder of its own.

use super::{Keys, follows, in_use, set};
use crate::support::{Operator, TestGateway, eventually, on_postgres};

#[tokio::test]
async fn instances_with_different_folders_use_the_keys_of_all_and_do_not_fight() {
    on_postgres(async |url| {
        let ours = Keys::new(&[("a.txt", "AIza-file-a\nAIza-file-both\n")]);
        let theirs = Keys::new(&[("z.txt", "AIza-file-z\nAIza-file-both\n")]);
        let one = ours.gateway().setting("database.url", url).start().await;
        let at = |keys: &Keys| keys.0.path().display().to_string();
        let other = one
            .beside_with(|yaml| yaml.replace(&at(&ours), &at(&theirs)))
            .await;
        let all = ["AIza-file-a", "AIza-file-both", "AIza-file-z"];
        follows(&one, &all).await;
        follows(&other, &all).await;

        ours.write("a.txt", "AIza-file-new\n");
        let without_a = ["AIza-file-both", "AIza-file-new", "AIza-file-z"];
        for gateway in [&one, &other] {
            eventually(
                "what one of them still has stays, as that one's",
                async || {
                    let both = file_of(gateway, "AIza-file-both");
                    let is_right = both.as_deref() == Some("z.txt");
                    (is_right && in_use(gateway) == set(&without_a)).then_some(())
                },
            )
            .await;
        }
        // Nobody writes any more: each has seen what the other did, and left it.
        let before = one.running.store().revision().await.unwrap();
        theirs.write("z.txt", "AIza-file-z\nAIza-file-both\nAIza-file-last\n");
        let last = [
            "AIza-file-both",
            "AIza-file-last",
            "AIza-file-new",
            "AIza-file-z",
        ];
        follows(&one, &last).await;
        follows(&other, &last).await;
        let admin = Operator::admin(&one).await;
        admin.rows("/api/key_files").await;
        assert_eq!(one.running.store().revision().await.unwrap(), before + 1);
        one.stop().await;
        follows(&other, &last).await;
        other.stop().await;
    })
    .await;
}

fn file_of(gateway: &TestGateway, secret: &str) -> Option<String> {
    let all = gateway.running.keys("google").into_iter();
    let mut found = all.filter(|status| status.cell.key.secret.expose() == secret);
    found.next()?.cell.key.file.as_deref().map(str::to_owned)
}
