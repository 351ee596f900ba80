# The few commands of keymux. What is longer than a line lives in scripts/.
.DEFAULT_GOAL := help
.PHONY: help demo run web test check fmt bench deps-check

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: ## See keymux at work in front of stand-ins for the providers; needs no key
	@scripts/demo

run: ## Build keymux and serve; reads keymux.yaml, .env and the environment
	@scripts/need cargo cc node
	@scripts/web
	cargo run --release --locked --bin keymux

web: ## Build what browsers are shown, for the next build of keymux to take in; needs Node
	@scripts/web

test: ## Pass everything that a change must pass
	@scripts/test

check: ## The fast part of it: format, lints, cargo's tests
	@scripts/test quick

fmt: ## Format the code
	cargo fmt --all

bench: ## Measure keymux beside nginx (ten minutes); see docs/BENCHMARKS.md
	@scripts/need cargo cc taskset nginx
	cargo build --release --locked --bins -p server -p fake-upstream -p bench
	cargo build --release --locked -p store --example records
	cargo run --release --locked -p bench -- run

deps-check: ## Check licences, bans and sources of all dependencies
	@scripts/deps-check
