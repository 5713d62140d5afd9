"""What matters in a case: the operators and variables whose outcome, turned over, would change the decision."""

import re


def effects(judged):
    """How many statements match, by effect."""
    matching = [one.statement.effect for one in judged if one.matches]
    return {"Deny": matching.count("Deny"), "Allow": matching.count("Allow")}


def is_decisive(one, counts):
    """Whether the decision changes when this statement matches where it did not, or does not where it did."""
    effect = one.statement.effect
    others = counts[effect] - one.matches
    return others == 0 and (effect == "Deny" or counts["Deny"] == 0)


def kind_of(name):
    """A variable's name with the thing attribute's name and the index left open."""
    return re.sub(r"(?i)attributes\[.*\]$", "Attributes[NAME]", re.sub(r"\.[0-9]+$", ".N", name))


def resource_names(one):
    """Variables in the entries of Resource that decide whether the statement matches."""
    decide = [
        (result, template.names)
        for i, (result, template) in enumerate(zip(one.resources, one.statement.resources.templates))
        if template.names and not any(r for j, r in enumerate(one.resources) if j != i)
    ]
    return [name for _, names in decide for name in names]


def matter(verdict):
    """Words of operators, keys of conditions, names of variables in texts: three sets of those that matter."""
    words, keys, names = set(), set(), set()
    counts = effects(verdict.judged)
    for one in verdict.judged:
        if not is_decisive(one, counts):
            continue
        if len(one.unresolved) == 1:
            names.add(kind_of(one.unresolved[0]))
        if one.unresolved:
            continue
        failed = [i for i, holds in enumerate(one.conditions) if not holds]
        hits = any(one.resources) != one.statement.resources.is_not
        if not failed:
            names.update(map(kind_of, resource_names(one)))
        if not hits or len(failed) > 1:
            continue
        for i in failed or range(len(one.conditions)):
            condition = one.statement.conditions[i]
            words.add(condition.operator)
            keys.add(kind_of(condition.key))
            if len(condition.patterns) == 1:
                names.update(map(kind_of, condition.patterns[0].names))
    return words, keys, names
