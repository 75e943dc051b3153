# Needs Python 3.11+ and make, nothing else. `make setup PYTHON=python3.13` chooses another interpreter.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help setup demo test lint bench lock fuzz audit chaos
.DEFAULT_GOAL := help

help:
	@echo 'make setup   поставить всё нужное в .venv'
	@echo 'make demo    показать день поддержки на учебном портале (DEMO_ARGS=--once: завершиться самой)'
	@echo 'make test    все тесты, вместе с PostgreSQL (TEST_ARGS="tests/sla -x": часть из них)'
	@echo 'make lint    стиль, типы, направления импортов, зависимости'
	@echo 'make bench   замеры'
	@echo 'make chaos   месяц отдела в худшую погоду, службу убивают 50 раз: полчаса (CHAOS_ARGS="--days 3 --kills 5": короче)'
	@echo 'make fuzz    испорченные входные данные: 200 000 случаев на каждый разбор, случайное начало'
	@echo 'make audit   известные уязвимости в зависимостях (нужен доступ к базе уязвимостей)'
	@echo 'make lock    пересобрать файлы зависимостей (нужен uv)'

setup: $(READY)
	@:

# The hashed install knows every package; the editable one after it only adds the console script.
$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Нужен Python 3.11 или новее, а $(PYTHON) это:' "$$($(PYTHON) --version 2>&1)"; \
		echo 'Укажите другой: make setup PYTHON=python3.12'; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo 'Ставлю зависимости в .venv (первый раз это минута-другая)…'
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/b24sla demo $(DEMO_ARGS)

test: setup
	@$(BIN)/python -m pytest -n 2 $(TEST_ARGS)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry app

bench: setup
	@for file in $$(grep -l __main__ benchmarks/*.py); do \
		echo "== $$file"; PYTHONPATH=. $(BIN)/python "$$file" || exit 1; done

# A month of a department in the worst weather (docs/operations.md); CHAOS_ARGS="--days 3 --kills 5 --seed 2": less.
chaos: setup
	@$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

# Long forms of tests/security: every reader against spoilt input, every operation of the API against its description.
fuzz: setup
	@$(BIN)/python -m tests.security.fuzzing $(FUZZ_ARGS)
	@SCHEMATHESIS_EXAMPLES=300 $(BIN)/python -m pytest -q tests/security/test_described_api.py

# --strict: a package that could not be looked up is a failure, else «no known vulnerabilities» may mean «nothing known».
audit: setup
	@for lock in requirements.lock requirements-dev.lock; do \
		echo "== $$lock"; \
		$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock \
			|| { echo "AUDIT: FAILED ($$lock: найдены уязвимости или не всё удалось проверить, см. выше)"; exit 1; }; \
	done

# No host name may stand in a lock, hence the options that leave addresses and comments out.
# The service's lock is part of the tests' one: what runs is what was tested.
LOCKED = UV_NO_CONFIG=1 uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock:
	$(LOCKED) --group dev --output-file requirements-dev.lock
	$(LOCKED) --group build --constraint requirements-dev.lock --output-file requirements.lock
