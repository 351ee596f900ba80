//! Makes cargo build the program again when the built web files, which it embeds, have changed.
//! How they are built is in `web/build.mjs`, how they are served in `src/http/assets.rs`.

fn main() {
    // The folder is in the repository, empty: cargo would take one that is not there for changed at every build.
    println!("cargo::rerun-if-changed=../../web/dist");
}
