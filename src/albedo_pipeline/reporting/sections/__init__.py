"""Content of the report's sections: texts, tables and pictures, without the figures."""
