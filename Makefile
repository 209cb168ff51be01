# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
PORT ?= 8700
DATA ?= data
HTTPS ?=
HOST ?= localhost
ONLY ?=

.PHONY: run test soak bench lock build clean

run: ## everything on loopback: make run [PORT=9000] [DATA=dir], or for a phone: [HTTPS=1 HOST=name]
	@PYTHON="$(PYTHON)" scripts/setup run
	@exec .venv/bin/python -m ingam.run.demo --port "$(PORT)" --data "$(DATA)" $(if $(HTTPS),--https --host "$(HOST)")

test: ## every check, or a part of the tests: make test [ONLY=journeys/registration]
	@scripts/tools
	@PYTHON="$(PYTHON)" scripts/setup test
	@.venv/bin/python scripts/check.py $(if $(ONLY),--only "$(ONLY)")

soak: ## the long forms: make soak [ONLY=kill]
	@scripts/tools
	@PYTHON="$(PYTHON)" scripts/setup test
	@.venv/bin/python scripts/check.py --soak $(if $(ONLY),--only "$(ONLY)")

bench: ## side by side with peers and with the bare floor: make bench [ONLY=keys]
	@scripts/tools
	@PYTHON="$(PYTHON)" scripts/setup bench
	@.venv/bin/python -m bench $(ONLY)

build: ## the browser bundles alone
	@PYTHON="$(PYTHON)" scripts/setup run

lock: ## lock every dependency by hash, without addresses (needs uv)
	@for part in run test bench; do \
	  uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" requirements/$$part.in -o requirements/$$part.txt || exit 1; done
	@scripts/npm install --package-lock-only --ignore-scripts

clean: ## what was built, not what was kept
	rm -rf build .venv node_modules
