package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.postgresql.StatementLexer.Token;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Do a text's tokens read, or may they write?
 *
 * <p>No parser: it looks for what a read cannot have, in every place where the grammar admits it, and for calls of
 * functions, which are a name before a parenthesis. Where it cannot tell what a parenthesis is, it is a call of a function
 * that nobody knows. Mistakes make a read a write and not the other way round.
 */
final class StatementClassifier {

    private final Functions functions;
    private final Parentheses parentheses = new Parentheses();

    private Kind worst = Kind.READ;
    private int statements;
    private boolean leavesState;
    private boolean changesRows;
    private boolean returnsRows;

    /** Of the statement at hand. */
    private boolean inStatement;

    private boolean expectsVerb;
    private boolean explains;
    private boolean maySet;
    private boolean creates;

    /** The tokens before the one at hand. */
    private Token last = Token.SYMBOL;

    private char lastSymbol;
    private String lastWord = "";
    private @Nullable Keyword lastKeyword;
    private String beforeName = "";
    private boolean nameAfterOperand;
    private boolean closedCall;
    private boolean afterClosed;
    private boolean afterName;
    private @Nullable String schema;
    private int parts;

    StatementClassifier(Functions functions) {
        this.functions = functions;
    }

    int statements() {
        return statements;
    }

    Kind kind() {
        return statements == 1 || worst == Kind.WRITE ? worst : Kind.UNKNOWN;
    }

    boolean leavesState() {
        return leavesState;
    }

    boolean changesRows() {
        return changesRows;
    }

    boolean returnsRows() {
        return returnsRows;
    }

    void accept(Token token, StatementLexer lexer) {
        if (token == Token.SYMBOL && lexer.first() == ';') {
            end();
            return;
        }
        if (!inStatement) {
            begin();
        }
        switch (token) {
            case WORD -> word(lexer.name());
            case QUOTED -> name(token, lexer.name());
            case ESCAPED -> name(token, "\0");
            case SYMBOL -> symbol(lexer.first());
            default -> other(token);
        }
    }

    void end() {
        if (maySet) {
            leavesState = true;
        }
        inStatement = false;
        parentheses.clear();
        forget(Token.SYMBOL, ';');
    }

    private void begin() {
        inStatement = true;
        expectsVerb = true;
        explains = false;
        maySet = false;
        creates = false;
        statements++;
    }

    private void atLeast(Kind kind) {
        if (kind.compareTo(worst) > 0) {
            worst = kind;
        }
    }

    private void word(String word) {
        changesRows |= Verbs.CHANGES.contains(word);
        returnsRows |= word.equals("returning");
        boolean label = dotted() || (lastWord.equals("as") && lastKeyword != null);
        if (word.equals("uescape") && last == Token.ESCAPED) {
            // what may follow the escape character belongs to the name before it
            atLeast(Kind.UNKNOWN);
        }
        if (creates && Verbs.TEMPORARY.contains(word)) {
            leavesState = true;
        }
        if (maySet) {
            // SET LOCAL and SET TRANSACTION end with the transaction
            maySet = false;
            leavesState |= !word.equals("local") && !word.equals("transaction") && !word.equals("constraints");
        }
        if (!label) {
            keyword(word);
        }
        parentheses.token(word);
        remember(Token.WORD, word, label ? null : Keyword.of(word), label);
    }

    private void keyword(String word) {
        boolean first = expectsVerb;
        if (expectsVerb) {
            verb(word);
        } else if (parentheses.expectsQuery() && Verbs.CHANGES.contains(word)) {
            atLeast(Kind.WRITE);
        } else if (word.equals("into")) {
            atLeast(Kind.WRITE);
            creates = true;
        } else if (lastWord.equals("for")
                && last == Token.WORD
                && (word.equals("update") || word.equals("share") || word.equals("no") || word.equals("key"))) {
            atLeast(Kind.WRITE);
        }
        parentheses.keyword(word, lastWord, first);
    }

    private void verb(String word) {
        if (word.equals("explain")) {
            explains = true;
            return;
        }
        boolean option = parentheses.depth() > 0
                ? !Verbs.QUERIES.contains(word)
                : word.equals("analyze") || word.equals("analyse") || word.equals("verbose");
        if (explains && option) {
            return;
        }
        expectsVerb = false;
        if (!Verbs.READS.contains(word)) {
            atLeast(Kind.WRITE);
            creates = word.equals("create");
            maySet = word.equals("set");
            leavesState |= !maySet && Verbs.STATEFUL.contains(word);
        }
    }

    private void name(Token token, String name) {
        if (creates && name.equals("pg_temp")) {
            leavesState = true;
        }
        leavesState |= maySet;
        maySet = false;
        noVerb();
        parentheses.token("");
        remember(token, name, null, dotted());
    }

    private void other(Token token) {
        leavesState |= maySet;
        maySet = false;
        noVerb();
        parentheses.token("");
        if (parentheses.inOperator()) {
            atLeast(Kind.UNKNOWN);
        }
        forget(token, '\0');
    }

    /** Whatever begins with something else than a word is no statement that we know. */
    private void noVerb() {
        boolean option = explains && parentheses.depth() > 0;
        if (expectsVerb && !option) {
            expectsVerb = false;
            atLeast(Kind.WRITE);
        }
    }

    private boolean named() {
        return last == Token.WORD || last == Token.QUOTED || last == Token.ESCAPED;
    }

    private boolean dotted() {
        return parts > 0 && lastSymbol == '.';
    }

    private void symbol(char symbol) {
        if (symbol == '(') {
            open();
        } else if (symbol == ')') {
            if (parentheses.inOperator() && parentheses.empty()) {
                atLeast(Kind.UNKNOWN);
            }
            closedCall = parentheses.close();
            forget(Token.SYMBOL, ')');
        } else if (symbol == '.' && named()) {
            lastSymbol = '.';
        } else {
            if (symbol != ',') {
                noVerb();
            }
            parentheses.token("");
            if (symbol == ',') {
                parentheses.comma();
            }
            forget(Token.SYMBOL, symbol);
        }
    }

    /** A name or keyword; if it goes on a name with dots, that is what is remembered. */
    private void remember(Token token, String word, @Nullable Keyword keyword, boolean label) {
        boolean goesOn = label && lastSymbol == '.';
        if (goesOn) {
            schema = parts == 1 ? lastWord : "\0";
            parts++;
        } else {
            beforeName = last == Token.WORD ? lastWord : "";
            nameAfterOperand = endsOperand();
            afterClosed = last == Token.SYMBOL && lastSymbol == ')' && closedCall;
            afterName = named() && lastKeyword == null;
            schema = null;
            parts = 1;
        }
        if (parentheses.inOperator() && !word.equals(Functions.BUILT_IN_SCHEMA)) {
            atLeast(Kind.UNKNOWN);
        }
        last = token;
        lastWord = word;
        lastKeyword = goesOn ? null : keyword;
        lastSymbol = '\0';
    }

    private void forget(Token token, char symbol) {
        last = token;
        lastSymbol = symbol;
        lastWord = "";
        lastKeyword = null;
        schema = null;
        parts = 0;
    }

    private boolean endsOperand() {
        return switch (last) {
            case SYMBOL -> lastSymbol == ')' || lastSymbol == ']';
            case WORD -> lastKeyword != Keyword.RESERVED || lastWord.equals("not") || lastWord.startsWith("current_");
            default -> true;
        };
    }

    private void open() {
        // behind EXPLAIN come options, or the query
        boolean maybeCall = !expectsVerb && named() && lastSymbol != '.';
        Parentheses.Group group = maybeCall ? groupOf(lastWord) : Parentheses.Group.PLAIN;
        expectsVerb &= explains;
        boolean body = lastWord.equals("as") || lastWord.equals("materialized");
        if (!parentheses.open(group, body)) {
            atLeast(Kind.UNKNOWN);
        }
        forget(Token.SYMBOL, '(');
    }

    /** What the parenthesis behind a name or keyword is. */
    private Parentheses.Group groupOf(String word) {
        if (schema == null && lastKeyword == Keyword.RESERVED) {
            return word.equals("on") ? Parentheses.Group.LIST : Parentheses.Group.PLAIN;
        }
        if (schema == null && lastKeyword == Keyword.NOT_A_FUNCTION) {
            return switch (word) {
                case "values" -> Parentheses.Group.LIST;
                case "xmltable", "json_table" -> Parentheses.Group.TABLE;
                default -> Parentheses.Group.CALL;
            };
        }
        if (schema == null && parentheses.named()) {
            // the columns of a common table expression
            return Parentheses.Group.LIST;
        }
        if (beforeName.equals("as") || afterName || (afterClosed && lastKeyword == null)) {
            // the columns of an alias, or the length of a type
            return Parentheses.Group.LIST;
        }
        if (schema == null && lastKeyword != null && syntax(word)) {
            return switch (word) {
                case "columns" -> Parentheses.Group.TABLE;
                case "sets" -> Parentheses.Group.SETS;
                default -> Parentheses.Group.CALL;
            };
        }
        if (schema == null && word.equals("operator") && lastKeyword == Keyword.UNRESERVED) {
            return Parentheses.Group.OPERATOR;
        }
        if (beforeName.equals("tablesample") && (word.equals("bernoulli") || word.equals("system"))) {
            return Parentheses.Group.CALL;
        }
        atLeast(functions.kind(schema, word));
        leavesState |= functions.leavesState(schema, word);
        return Parentheses.Group.CALL;
    }

    /** Whether the grammar takes this word before a parenthesis, here, for something else than a function's name. */
    private boolean syntax(String word) {
        return switch (word) {
            case "by" -> beforeName.equals("order") || beforeName.equals("group") || beforeName.equals("partition");
            case "over", "filter" -> afterClosed;
            case "sets" -> beforeName.equals("grouping");
            case "rollup", "cube" -> parentheses.inGrouping();
            case "materialized" -> beforeName.equals("as") || beforeName.equals("not");
            case "columns" -> parentheses.inTable();
            case "zone" -> beforeName.equals("time");
            case "first", "next" -> beforeName.equals("fetch");
            case "escape", "value", "passing", "repeatable" -> nameAfterOperand && beforeName.isEmpty();
            case "join" -> nameAfterOperand && !beforeName.equals("not");
            case "like", "ilike", "overlaps" -> nameAfterOperand;
            default -> false;
        };
    }
}
